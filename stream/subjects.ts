import type { FeatureSet, SubjectState } from './features/port.ts';
import type { StateStore } from './state/port.ts';

/** Bounds of the decoded states of one partition. */
export interface CacheLimits {
  readonly subjects: number;
  /** Of their blobs; decoded they take a multiple of it (docs/operations.md). */
  readonly bytes: number;
}

interface Cached {
  state: SubjectState;
  /** Of the blob it was read from or last written to. */
  bytes: number;
  /** Number of the take that it was in last, and of that after which it got its place in the order of eviction. */
  taken: number;
  placed: number;
}

/**
 * Decoded subject states of one partition, within the limits beside those in use. What has not been used since it got
 * its place goes first, the rest is put behind (a second chance): to keep the order of use itself, each subject of
 * each batch would have to be put to another place.
 * It may only ever hold what extends the partition's commit chain: after a fence, throw it away.
 */
export class SubjectCache {
  readonly #states = new Map<string, Cached>();
  readonly #store: Pick<StateStore, 'load'>;
  readonly #features: FeatureSet;
  readonly #partition: number;
  readonly #limits: CacheLimits;
  #bytes = 0;
  #takes = 0;
  /** Subjects that had to be read. */
  misses = 0;

  constructor(parts: {
    store: Pick<StateStore, 'load'>;
    features: FeatureSet;
    partition: number;
    limits: CacheLimits;
  }) {
    this.#store = parts.store;
    this.#features = parts.features;
    this.#partition = parts.partition;
    this.#limits = parts.limits;
  }

  /** The states of these keys, which may repeat, from memory or in one read from the store; new subjects begin empty. */
  async take(keys: readonly string[]): Promise<Map<string, SubjectState>> {
    const taken = new Map<string, SubjectState>();
    const seen = new Set<string>();
    this.#takes += 1;
    for (const key of keys) {
      const cached = this.#states.get(key);
      if (cached === undefined) seen.add(key);
      else if (cached.taken !== this.#takes) {
        cached.taken = this.#takes;
        taken.set(key, cached.state);
      }
    }
    if (seen.size === 0) return taken;
    const absent = [...seen];
    this.misses += absent.length;
    const blobs = await this.#store.load(this.#partition, absent);
    for (const [index, key] of absent.entries()) {
      const blob = blobs[index];
      const state = blob ? this.#features.decode(blob) : this.#features.empty();
      taken.set(key, state);
      this.#put(key, state, blob?.length ?? 0);
    }
    return taken;
  }

  /**
   * The subject begins anew, with the next commit. It stays in memory: until that commit is made, the store still has
   * what it was.
   */
  reset(key: string): void {
    this.#put(key, this.#features.empty(), 0);
  }

  /** Another state takes the place of what is remembered of this subject, with the next commit. */
  replace(key: string, state: SubjectState): void {
    this.#put(key, state, 0);
  }

  /** How large a subject's blob has become. */
  resized(key: string, bytes: number): void {
    const cached = this.#states.get(key);
    if (cached === undefined) return;
    this.#bytes += bytes - cached.bytes;
    cached.bytes = bytes;
  }

  /**
   * Call when no commit is in flight, or nothing is over: what is evicted must be in the store already. What was taken last may have been
   * changed since, so it stays, however large it is.
   */
  evict(): void {
    for (const [key, cached] of this.#states) {
      if (!this.isOver) return;
      if (cached.taken === this.#takes) continue;
      this.#states.delete(key);
      if (cached.taken > cached.placed) {
        cached.placed = this.#takes;
        this.#states.set(key, cached);
      } else this.#bytes -= cached.bytes;
    }
  }

  /** More than its limits: `evict` has something to do. */
  get isOver(): boolean {
    return this.#states.size > this.#limits.subjects || this.#bytes > this.#limits.bytes;
  }

  #put(key: string, state: SubjectState, bytes: number): void {
    const taken = this.#takes;
    const cached = this.#states.get(key);
    this.#bytes += bytes - (cached?.bytes ?? 0);
    if (cached === undefined) this.#states.set(key, { state, bytes, taken, placed: taken });
    else Object.assign(cached, { state, bytes, taken });
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#states.size;
  }
}
