import { inOrder, type LeasePlace, type LeaseStore } from '../leases/lease.ts';
import type { StateCalls } from './functions.ts';

/** How long a decision waits for a lease before it goes without. */
const patienceMs = 1_000;

/** Leases beside their partition's keys, and ledgers under tags of their own, so that any node of a cluster may have them. */
export function redisLeases(calls: StateCalls, version: number): LeaseStore {
  const ledgerOf = ({ tenant, cap }: LeasePlace): string => `{presage.ledger:${tenant}}:${cap}`;
  const placeOf = (partition: number): string => `${version}:${partition}`;

  return {
    async lease(place, { granted, giveBack = false }) {
      const { partition, tenant, cap, bucket } = place;
      const reply = (await calls.invoke(
        'lease',
        [calls.keysOf(partition).lease(tenant, cap)],
        [String(bucket), granted === undefined ? '' : String(granted), giveBack ? '1' : '0'],
        `read what partition ${partition} holds of ${cap}`,
        patienceMs,
      )) as string[];
      if (reply.length < 3) return null;
      const [all, used, returned] = reply.map(Number);
      return { granted: all ?? 0, used: used ?? 0, returned: returned ?? 0 };
    },
    async grant(place, lease, wanted) {
      const { partition, cap, bucket, spans, limit } = place;
      const key = ledgerOf(place);
      const numbers = [bucket, spans, limit].map(String);
      const held = [lease.granted, lease.returned, wanted].map(String);
      const [granted] = (await calls.invoke(
        'ledger',
        [key, `${key}@${bucket}`],
        [...numbers, placeOf(partition), ...held],
        `lease of ${cap} for partition ${partition}`,
        patienceMs,
      )) as string[];
      return Number(granted ?? lease.granted);
    },
    async holders(place) {
      const { bucket, spans, cap } = place;
      const read = (key: string) => calls.send((redis) => redis.hgetall(key), `read who holds of ${cap}`);
      const near = Object.entries(await read(ledgerOf(place)))
        .filter(([one, leased]) => Math.abs(Number(one) - bucket) <= spans && Number(leased) > 0)
        .map(([one]) => Number(one));
      // Of partitions of another version of the log only their own program could give back.
      const prefix = `g${version}:`;
      const found = await Promise.all(
        near.map(async (one) => {
          const places = await read(`${ledgerOf(place)}@${one}`);
          return Object.entries(places)
            .filter(
              ([field, granted]) => field.startsWith(prefix) && Number(granted) > returnedOf(places, field),
            )
            .map(([field]) => ({ bucket: one, partition: Number(field.slice(prefix.length)) }));
        }),
      );
      return found.flat().sort(inOrder);
    },
  };
}

const returnedOf = (places: Readonly<Record<string, string>>, field: string): number =>
  Number(places[`r${field.slice(1)}`] ?? 0);
