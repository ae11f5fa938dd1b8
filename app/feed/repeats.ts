import { murmur2 } from '../../core/index.ts';
import { ExternalSorter, type SortLimits } from './sort/index.ts';

/** Counts the ids of a file that another event of it has already; sorted by hash, so that they needn't fit in memory. */
export class RepeatCounter {
  private readonly ids: ExternalSorter;

  constructor(limits: SortLimits) {
    this.ids = new ExternalSorter(limits);
  }

  add(id: string): Promise<void> | null {
    return this.ids.add(murmur2(Buffer.from(id)), id);
  }

  async count(): Promise<number> {
    let repeats = 0;
    let hash = -1;
    const ofThisHash = new Set<string>();
    for await (const { key, payload } of this.ids.sorted()) {
      if (key !== hash) ofThisHash.clear();
      hash = key;
      const id = payload.toString();
      if (ofThisHash.has(id)) repeats++;
      else ofThisHash.add(id);
    }
    return repeats;
  }

  close(): Promise<void> {
    return this.ids.close();
  }
}
