import type { Clock } from '../../core/index.ts';
import { compareText } from '../features/parts/text.ts';
import type { StateStore } from '../state/port.ts';

interface Entry {
  readonly key: string;
  readonly due: number;
}

interface TenantHorizon {
  /** All entries up to the bound, earliest first. */
  entries: Entry[];
  readonly dueOf: Map<string, number>;
  /** The last entry that is surely here with all before it; null: all of them are here. */
  bound: Entry | null;
}

/** How long it takes at least until what others put into the index is due, and the clock that they go by. */
export interface HorizonOthers {
  readonly afterMs: number;
  readonly clock: Pick<Clock, 'now'>;
}

/** How far the clocks of those who put entries into the index may be behind the worker's. */
const mostSkewMs = 60_000;

/** How much of a tenant's index is read at once; twice as much is held. */
const defaultPage = 1_000;

/**
 * The near part of a partition's index of timers, in memory: which subjects are due next. What a worker commits is put
 * in here too, so it is ahead of the store by the commits in flight. Ordered by (due, key as bytes), as the store is.
 * Those who only ask for decisions are put into the index by others: one `ttl` from now at the earliest, so what is read
 * is not known to be all beyond that.
 */
export class Horizon {
  readonly #tenants = new Map<string, TenantHorizon>();
  readonly #store: Pick<StateStore, 'earliestTimers'>;
  readonly #partition: number;
  readonly #settled: () => Promise<void>;
  readonly #page: number;
  readonly #newFrom: () => number;

  /** `settled` resolves when no commit is in flight. */
  constructor(parts: {
    store: Pick<StateStore, 'earliestTimers'>;
    partition: number;
    settled: () => Promise<void>;
    page?: number | undefined;
    others?: HorizonOthers | undefined;
  }) {
    this.#store = parts.store;
    this.#partition = parts.partition;
    this.#settled = parts.settled;
    this.#page = parts.page ?? defaultPage;
    const { others } = parts;
    this.#newFrom = () =>
      others === undefined
        ? Infinity
        : others.clock.now() + others.afterMs - Math.min(mostSkewMs, others.afterMs / 2);
  }

  /** Makes sure that the first `page` entries due by `until` are here. Must not be called between `set` and its commit. */
  async reach(tenant: string, until: number): Promise<void> {
    const known = this.#tenants.get(tenant);
    if (known !== undefined) {
      if (known.bound === null || known.bound.due > until) return;
      const [first] = known.entries;
      if (first !== undefined && known.entries.length >= this.#page) return;
    }
    await this.#settled();
    const newFrom = this.#newFrom();
    const read = await this.#store.earliestTimers(this.#partition, tenant, this.#page);
    const entries = read.map(([key, due]): Entry => ({ key, due }));
    this.#tenants.set(tenant, {
      entries,
      dueOf: new Map(read),
      bound: entries.length < this.#page ? null : (entries.at(-1) ?? null),
    });
    this.doubtFrom(tenant, newFrom);
  }

  /** Keys of the entries due by `until`, earliest first, at most `limit`. */
  first(tenant: string, until: number, limit: number): string[] {
    const keys: string[] = [];
    for (const { key, due } of this.#tenants.get(tenant)?.entries ?? []) {
      if (due > until || keys.length >= limit) break;
      keys.push(key);
    }
    return keys;
  }

  /** The earliest entry due by `until`; null: none; 'unread': there may be one that is not here. */
  head(tenant: string, until: number): Entry | null | 'unread' {
    const known = this.#tenants.get(tenant);
    if (known === undefined) return 'unread';
    const [first] = known.entries;
    if (first !== undefined) return first.due <= until ? first : null;
    return known.bound !== null && known.bound.due <= until ? 'unread' : null;
  }

  /** Moves a subject's entry, as the next commit will. */
  set(tenant: string, key: string, due: number | null): void {
    const known = this.#tenants.get(tenant);
    if (known === undefined) return;
    const before = known.dueOf.get(key);
    if (before !== undefined) {
      known.entries.splice(placeOf(known.entries, { key, due: before }), 1);
      known.dueOf.delete(key);
    }
    if (due === null) return;
    const entry = { key, due };
    if (known.bound !== null && compare(entry, known.bound) > 0) return;
    known.entries.splice(placeOf(known.entries, entry), 0, entry);
    known.dueOf.set(key, due);
    if (known.entries.length > 2 * this.#page) this.#shorten(known);
  }

  /** From this time on there may be entries that only the store knows. */
  doubtFrom(tenant: string, due: number): void {
    const known = this.#tenants.get(tenant);
    const bound = { key: '', due };
    if (known === undefined || due === Infinity) return;
    if (known.bound !== null && compare(known.bound, bound) <= 0) return;
    known.bound = bound;
    for (const { key } of known.entries.splice(placeOf(known.entries, bound))) known.dueOf.delete(key);
  }

  dueOf(tenant: string, key: string): number | undefined {
    return this.#tenants.get(tenant)?.dueOf.get(key);
  }

  get size(): number {
    let size = 0;
    for (const { entries } of this.#tenants.values()) size += entries.length;
    return size;
  }

  #shorten(known: TenantHorizon): void {
    for (const { key } of known.entries.splice(this.#page)) known.dueOf.delete(key);
    known.bound = known.entries.at(-1) ?? null;
  }
}

/** Where an entry stands, or would. */
function placeOf(entries: readonly Entry[], entry: Entry): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = entries[middle];
    if (other !== undefined && compare(other, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compare(a: Entry, b: Entry): number {
  return a.due - b.due || compareText(a.key, b.key);
}
