import type { SubjectState } from '../features/index.ts';
import type { Item } from '../item.ts';
import { limits } from '../state/limits.ts';
import type { StateStore } from '../state/port.ts';
import { type SharedGroup, sharedKeyFor } from './groups.ts';

interface Kept {
  readonly group: SharedGroup;
  state: SubjectState;
}

/**
 * A partition's share of the shared features: blobs beside those of subjects, changed in the same commit. Like the
 * cache of subjects it only ever extends the partition's commit chain. It holds at most 64 blobs for each tenant and
 * `by`, and one for each tenant's features without.
 */
export class SharedPartition {
  readonly #kept = new Map<string, Kept>();
  readonly #changed = new Set<string>();
  readonly #store: Pick<StateStore, 'load'>;
  readonly #partition: number;
  readonly #groups: readonly SharedGroup[];
  readonly #onOutgrown: (key: string) => void;

  constructor(parts: {
    store: Pick<StateStore, 'load'>;
    partition: number;
    groups: readonly SharedGroup[];
    onOutgrown?: (key: string) => void;
  }) {
    this.#store = parts.store;
    this.#partition = parts.partition;
    this.#groups = parts.groups;
    this.#onOutgrown = parts.onOutgrown ?? (() => {});
  }

  /** Reads what these events may change. */
  async prepare(items: readonly Item[]): Promise<void> {
    const absent = new Map<string, SharedGroup>();
    for (const item of items)
      for (const [key, group] of this.#placesOf(item)) if (!this.#kept.has(key)) absent.set(key, group);
    if (absent.size === 0) return;
    const blobs = await this.#store.load(this.#partition, [...absent.keys()]);
    let index = 0;
    for (const [key, group] of absent) {
      const blob = blobs[index++];
      this.#kept.set(key, { group, state: blob ? group.features.decode(blob) : group.features.empty() });
    }
  }

  /** Counts an event that is new to its subject. */
  update(item: Item): void {
    for (const [key, group] of this.#placesOf(item)) {
      const kept = this.#kept.get(key);
      if (kept === undefined) continue;
      const { id, type, time, properties } = item;
      if (
        group.features.update(kept.state, { id, type, time, properties, session: null }, item.record.offset)
      )
        this.#changed.add(key);
    }
  }

  /** What has changed since the last call, for the commit. A blob that has outgrown its bound begins anew. */
  takeChanged(): [key: string, blob: Uint8Array | null][] {
    const blobs: [string, Uint8Array | null][] = [];
    for (const key of this.#changed) {
      const kept = this.#kept.get(key);
      if (kept === undefined) continue;
      const blob = kept.group.features.encode(kept.state);
      if (blob.length <= limits.blobBytes) blobs.push([key, blob]);
      else {
        kept.state = kept.group.features.empty();
        blobs.push([key, null]);
        this.#onOutgrown(key);
      }
    }
    this.#changed.clear();
    return blobs;
  }

  *#placesOf(item: Item): Generator<[key: string, group: SharedGroup]> {
    if (item.type.startsWith('$')) return;
    for (const group of this.#groups) {
      if (group.types !== null && !group.types.has(item.type)) continue;
      const key = sharedKeyFor(item.tenant, group, item.properties);
      if (key !== null) yield [key, group];
    }
  }
}
