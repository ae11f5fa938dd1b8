import { type Holder, inOrder, keptBuckets, type Lease, type LeasePlace, type LeaseStore } from './lease.ts';

interface Buckets<T> {
  /** The newest that was forgotten. */
  floor: number;
  readonly of: Map<number, T>;
}

interface Leased {
  total: number;
  readonly places: Map<number, { granted: number; returned: number }>;
}

export interface MemoryLeases extends LeaseStore {
  /** Of a partition, to take from; one that is not there has nothing. */
  held(partition: number, tenant: string, cap: string, bucket: number): Lease;
}

/** Leases and ledgers of all partitions in memory: what leases.lua and ledger.lua do, which a property test holds to it. */
export function memoryLeases(): MemoryLeases {
  const leases = new Map<string, Buckets<Lease>>();
  const ledgers = new Map<string, Buckets<Leased>>();
  const nameOf = (partition: number, tenant: string, cap: string): string => `${partition}:${tenant}:${cap}`;

  return {
    held(partition, tenant, cap, bucket) {
      const known = leases.get(nameOf(partition, tenant, cap))?.of.get(bucket);
      return known ?? { granted: 0, used: 0, returned: 0 };
    },
    async lease({ partition, tenant, cap, bucket }, { granted = 0, giveBack = false }) {
      const buckets = bucketsOf(leases, nameOf(partition, tenant, cap));
      const known = buckets.of.get(bucket);
      if (known === undefined && bucket <= buckets.floor) return null;
      const held = known ?? { granted: 0, used: 0, returned: 0 };
      const isNew = known === undefined && granted > 0;
      if (isNew && !makeRoom(buckets, bucket)) return null;
      held.granted = Math.max(held.granted, granted);
      if (giveBack) held.returned = Math.max(held.returned, held.granted - held.used);
      if (isNew) buckets.of.set(bucket, held);
      return { ...held };
    },
    async grant({ partition, tenant, cap, bucket, spans, limit }, lease, wanted) {
      const buckets = bucketsOf(ledgers, `${tenant}:${cap}`);
      let leased = buckets.of.get(bucket);
      // Buckets that were forgotten may have shared the limit with this one.
      if (bucket - spans <= buckets.floor) return lease.granted;
      if (leased === undefined) {
        if (!makeRoom(buckets, bucket, spans)) return lease.granted;
        leased = { total: 0, places: new Map() };
        buckets.of.set(bucket, leased);
      }
      const known = leased.places.get(partition) ?? { granted: 0, returned: 0 };
      leased.places.set(partition, known);
      leased.total += Math.max(0, lease.granted - known.granted);
      known.granted = Math.max(known.granted, lease.granted);
      leased.total -= Math.max(0, lease.returned - known.returned);
      known.returned = Math.max(known.returned, lease.returned);
      if (known.granted > lease.granted) return known.granted;
      const given = Math.min(wanted, Math.max(0, limit - fullestOf(buckets, bucket, spans)));
      known.granted += given;
      leased.total += given;
      return known.granted;
    },
    async holders({ tenant, cap, bucket, spans }: LeasePlace) {
      const found: Holder[] = [];
      for (const [one, { places }] of ledgers.get(`${tenant}:${cap}`)?.of ?? []) {
        if (Math.abs(one - bucket) > spans) continue;
        for (const [partition, { granted, returned }] of places)
          if (granted > returned) found.push({ bucket: one, partition });
      }
      return found.sort(inOrder);
    },
  };
}

function bucketsOf<T>(all: Map<string, Buckets<T>>, name: string): Buckets<T> {
  let buckets = all.get(name);
  if (buckets === undefined) {
    buckets = { floor: -Infinity, of: new Map() };
    all.set(name, buckets);
  }
  return buckets;
}

/** Forgets the oldest bucket if there are too many; false: the new one would be older still. */
function makeRoom<T>(buckets: Buckets<T>, bucket: number, spans = 0): boolean {
  if (buckets.of.size < keptBuckets) return true;
  const oldest = Math.min(...buckets.of.keys());
  if (bucket - spans <= oldest) return false;
  buckets.of.delete(oldest);
  buckets.floor = oldest;
  return true;
}

/** The most that is leased of any `spans + 1` buckets in a row that this one is among. */
function fullestOf({ of }: Buckets<Leased>, bucket: number, spans: number): number {
  let fullest = 0;
  for (let first = bucket - spans; first <= bucket; first++) {
    let sum = 0;
    for (let one = first; one <= first + spans; one++) sum += of.get(one)?.total ?? 0;
    fullest = Math.max(fullest, sum);
  }
  return fullest;
}
