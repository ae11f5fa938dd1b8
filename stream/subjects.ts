import type { FeatureSet, SubjectState } from './features/port.ts';
import type { StateStore } from './state/port.ts';

/** Bounds of the decoded states of one partition. */
export interface CacheLimits {
  readonly subjects: number;
  /** Of their blobs; decoded they take a multiple of it (docs/operations.md). */
  readonly bytes: number;
}

interface Cached {
  readonly state: SubjectState;
  /** Of the blob it was read from or last written to. */
  bytes: number;
}

/**
 * Decoded subject states of one partition, least recently used first, within the limits beside those in use.
 * It may only ever hold what extends the partition's commit chain: after a fence, throw it away.
 */
export class SubjectCache {
  readonly #states = new Map<string, Cached>();
  readonly #store: Pick<StateStore, 'load'>;
  readonly #features: FeatureSet;
  readonly #partition: number;
  readonly #limits: CacheLimits;
  #bytes = 0;
  /** How many were taken last: the newest of all, and perhaps not in the store yet. */
  #inUse = 0;
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

  /** The states of these keys, from memory or in one read from the store; new subjects begin empty. */
  async take(keys: Iterable<string>): Promise<Map<string, SubjectState>> {
    const taken = new Map<string, SubjectState>();
    const absent: string[] = [];
    for (const key of keys) {
      const cached = this.#states.get(key);
      if (cached === undefined) absent.push(key);
      else {
        taken.set(key, cached.state);
        this.#states.delete(key);
        this.#states.set(key, cached);
      }
    }
    this.#inUse = taken.size + absent.length;
    if (absent.length === 0) return taken;
    this.misses += absent.length;
    const blobs = await this.#store.load(this.#partition, absent);
    for (const [index, key] of absent.entries()) {
      const blob = blobs[index];
      const state = blob ? this.#features.decode(blob) : this.#features.empty();
      taken.set(key, state);
      this.#put(key, { state, bytes: blob?.length ?? 0 });
    }
    return taken;
  }

  /**
   * The subject begins anew, with the next commit. It stays in memory: until that commit is made, the store still has
   * what it was.
   */
  reset(key: string): void {
    this.#put(key, { state: this.#features.empty(), bytes: 0 });
  }

  /** Another state takes the place of what is remembered of this subject, with the next commit. */
  replace(key: string, state: SubjectState): void {
    this.#put(key, { state, bytes: 0 });
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
      if (!this.isOver || this.#states.size <= this.#inUse) return;
      this.#states.delete(key);
      this.#bytes -= cached.bytes;
    }
  }

  /** More than its limits: `evict` has something to do. */
  get isOver(): boolean {
    return this.#states.size > this.#limits.subjects || this.#bytes > this.#limits.bytes;
  }

  #put(key: string, cached: Cached): void {
    this.#bytes += cached.bytes - (this.#states.get(key)?.bytes ?? 0);
    this.#states.set(key, cached);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#states.size;
  }
}
