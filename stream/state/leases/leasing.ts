import type { CapTake, Choice } from '../../../schemas/index.ts';
import { type Lease, type LeasePlace, type LeaseStore, leftOf } from './lease.ts';

/** What is decided in a partition and may take from a tenant's limits. */
export interface Taker {
  readonly tenant: string;
  readonly choices: readonly Choice[];
  readonly slots?: number | undefined;
}

export interface Leasing {
  /**
   * Sees to it that a partition holds enough for what is about to be decided there, as far as there is any; null: nothing
   * of it needs a lease. Whoever finds too little of a lease in the end decides without it.
   */
  prepare(partition: number, takers: Iterable<Taker>): Promise<void> | null;
}

/** Of a limit one block is at most this part: what is leased where nobody needs it is given back when others do. */
const blockPart = 100;
/**
 * A limit that nobody had anything left of is not asked for again for so long, and longer each time: whatever there was
 * has been taken back by then, so there is only more if somebody gives it back meanwhile.
 */
const emptyMs = { first: 250, most: 30_000 } as const;
/** Limits whose state is remembered here; others are looked up. */
const mostViews = 4_096;

interface View {
  /** What was left of the lease when it was last looked at, less all that may have been taken since. */
  left: number;
  emptyUntil: number;
  /** How long it was empty last; 0: it was not. */
  emptyMs: number;
}

/**
 * Leases blocks of tenants' limits to partitions before they are needed. Nothing of it is decided here: the ledger never
 * grants more than the limit, a partition never takes more than it was granted, and both count since ever, so that
 * whatever is lost on the way between them is noticed with the next call, and nothing is lost with a process.
 */
export function makeLeasing(store: LeaseStore, now: () => number): Leasing {
  const views = new Map<string, View>();

  async function ensure(place: LeasePlace, need: number): Promise<void> {
    const key = keyOf(place);
    const view = views.get(key);
    if (view !== undefined) {
      if (view.left >= need) {
        view.left -= need;
        return;
      }
      if (now() < view.emptyUntil) return;
    }
    let lease = await store.lease(place, {});
    if (lease !== null && leftOf(lease) < need) lease = await more(place, lease, need);
    if (lease !== null && leftOf(lease) < need && (await reclaim(place)))
      lease = await more(place, lease, need);
    const left = lease === null ? 0 : leftOf(lease);
    views.delete(key);
    const pause = left < need ? Math.min(emptyMs.most, Math.max(emptyMs.first, 2 * (view?.emptyMs ?? 0))) : 0;
    views.set(key, { left: Math.max(0, left - need), emptyUntil: now() + pause, emptyMs: pause });
    for (const oldest of views.keys()) {
      if (views.size <= mostViews) break;
      views.delete(oldest);
    }
  }

  async function more(place: LeasePlace, lease: Lease, need: number): Promise<Lease | null> {
    const block = Math.max(1, Math.floor(place.limit / blockPart));
    const granted = await store.grant(place, lease, Math.max(block, need - leftOf(lease)));
    return granted > lease.granted ? store.lease(place, { granted }) : lease;
  }

  /** Takes back what is left elsewhere: of other partitions, and of earlier and later buckets. true: there was something. */
  async function reclaim(place: LeasePlace): Promise<boolean> {
    let isMore = false;
    for (const holder of await store.holders(place)) {
      if (holder.partition === place.partition && holder.bucket === place.bucket) continue;
      const other = { ...place, ...holder };
      views.delete(keyOf(other));
      const after = await store.lease(other, { giveBack: true });
      // Told in any case: whoever took it back before may not have come to tell it.
      if (after === null || after.returned === 0) continue;
      await store.grant(other, after, 0);
      isMore = true;
    }
    return isMore;
  }

  return {
    prepare(partition, takers) {
      const needs = needsOf(partition, takers);
      if (needs.size === 0) return null;
      return Promise.all([...needs.values()].map(({ place, need }) => ensure(place, need))).then(() => {});
    },
  };
}

const keyOf = ({ partition, tenant, cap, bucket }: LeasePlace): string =>
  `${partition}:${tenant}:${cap}@${bucket}`;

function needsOf(
  partition: number,
  takers: Iterable<Taker>,
): Map<string, { readonly place: LeasePlace; need: number }> {
  const needs = new Map<string, { readonly place: LeasePlace; need: number }>();
  for (const { tenant, choices, slots = 1 } of takers) {
    /** How many choices of this decision take from it. */
    const mine = new Map<string, number>();
    for (const { caps } of choices) {
      for (const take of caps) {
        if (take.lease === undefined) continue;
        const place = placeOf(partition, tenant, take, take.lease);
        const key = keyOf(place);
        mine.set(key, (mine.get(key) ?? 0) + 1);
        if (!needs.has(key)) needs.set(key, { place, need: 0 });
      }
    }
    for (const [key, count] of mine) {
      const needed = needs.get(key);
      if (needed !== undefined) needed.need += Math.min(count, slots);
    }
  }
  return needs;
}

const placeOf = (
  partition: number,
  tenant: string,
  { cap, limit }: CapTake,
  { bucket, spans }: NonNullable<CapTake['lease']>,
): LeasePlace => ({ partition, tenant, cap, bucket, spans, limit });
