import type { FeatureSet, SubjectState } from './features/port.ts';
import type { StateStore } from './state/port.ts';

/**
 * Decoded subject states of one partition, least recently used first, at most `limit` beside those in use.
 * It may only ever hold what extends the partition's commit chain: after a fence, throw it away.
 */
export class SubjectCache {
  readonly #states = new Map<string, SubjectState>();
  readonly #store: StateStore;
  readonly #features: FeatureSet;
  readonly #partition: number;
  readonly #limit: number;

  constructor(parts: { store: StateStore; features: FeatureSet; partition: number; limit: number }) {
    this.#store = parts.store;
    this.#features = parts.features;
    this.#partition = parts.partition;
    this.#limit = parts.limit;
  }

  /** The states of these keys, from memory or in one read from the store; new subjects begin empty. */
  async take(keys: Iterable<string>): Promise<Map<string, SubjectState>> {
    const taken = new Map<string, SubjectState>();
    const absent: string[] = [];
    for (const key of keys) {
      const state = this.#states.get(key);
      if (state === undefined) absent.push(key);
      else {
        taken.set(key, state);
        this.#states.delete(key);
        this.#states.set(key, state);
      }
    }
    if (absent.length === 0) return taken;
    const blobs = await this.#store.load(this.#partition, absent);
    for (const [index, key] of absent.entries()) {
      const blob = blobs[index];
      const state = blob ? this.#features.decode(blob) : this.#features.empty();
      taken.set(key, state);
      this.#states.set(key, state);
    }
    return taken;
  }

  /**
   * The subject begins anew, with the next commit. It stays in memory: until that commit is made, the store still has
   * what it was.
   */
  reset(key: string): void {
    this.#states.set(key, this.#features.empty());
  }

  /** Call when no commit is in flight: what is evicted must be in the store already. */
  evict(): void {
    const surplus = this.#states.size - this.#limit;
    if (surplus <= 0) return;
    let left = surplus;
    for (const key of this.#states.keys()) {
      if (left-- <= 0) break;
      this.#states.delete(key);
    }
  }

  get size(): number {
    return this.#states.size;
  }
}
