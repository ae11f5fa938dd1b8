import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PresageError } from '../../../core/index.ts';
import { explainFull } from '../disk-full.ts';
import { mergeRuns } from './merge.ts';
import { headerBytes, type RunReader, RunWriter, type SortRecord } from './run.ts';

export interface SortLimits {
  /** Where runs are written; made when the first one is. */
  readonly folder: string;
  /** Records kept in memory before they become a run on disk. */
  readonly memoryBytes: number;
  /** Most that may be on disk at once; merging can need twice the records' size. */
  readonly diskBytes: number;
  /** Runs that are merged at once, and so the most files a level holds. */
  readonly fanIn: number;
}

let filesMade = 0;

/**
 * Sorts any number of records by key, ties by the order in which they were added, in bounded memory: what fits stays
 * there, more goes to sorted runs on disk that are merged, level by level.
 */
export class ExternalSorter {
  private slab = Buffer.allocUnsafe(64 * 1024);
  private filled = 0;
  private keys: number[] = [];
  /** Where each record's payload ends in the slab. */
  private ends: number[] = [];
  private readonly levels: RunReader[][] = [];
  private diskBytes = 0;
  private added = 0;

  private readonly limits: SortLimits;

  constructor(limits: SortLimits) {
    this.limits = limits;
  }

  get count(): number {
    return this.added;
  }

  /** Runs written so far that are not merged into a longer one yet. */
  get runs(): number {
    return this.levels.reduce((sum, level) => sum + level.length, 0);
  }

  /** A promise only when the record made a run full. Throws `no_disk_space`. */
  add(key: number, payload: string): Promise<void> | null {
    const most = payload.length * 3;
    if (this.filled + most > this.slab.length) this.grow(this.filled + most);
    this.filled += this.slab.write(payload, this.filled);
    this.keys.push(key);
    this.ends.push(this.filled);
    this.added++;
    return this.filled + this.keys.length * headerBytes >= this.limits.memoryBytes ? this.spill() : null;
  }

  /** All records in order; to be read once. */
  async *sorted(): AsyncGenerator<SortRecord> {
    if (this.runs === 0) {
      yield* this.inMemory();
      return;
    }
    if (this.keys.length > 0) await this.spill();
    this.slab = Buffer.alloc(0);
    yield* mergeRuns(this.levels.flat());
  }

  /** Frees the disk. */
  async close(): Promise<void> {
    const runs = this.levels.splice(0).flat();
    await Promise.all(runs.map((run) => run.close()));
  }

  private grow(least: number): void {
    const larger = Buffer.allocUnsafe(
      Math.max(least, Math.min(this.slab.length * 2, this.limits.memoryBytes)),
    );
    this.slab.copy(larger, 0, 0, this.filled);
    this.slab = larger;
  }

  private *inMemory(): Generator<SortRecord> {
    const { keys, ends } = this;
    const first = this.added - keys.length;
    // Records were added in the order of their sequence, so the index breaks ties.
    const order = Uint32Array.from(keys.keys()).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b);
    for (const i of order) {
      const payload = this.slab.subarray(i === 0 ? 0 : ends[i - 1], ends[i]);
      yield { key: keys[i] ?? 0, sequence: first + i, payload };
    }
  }

  private async spill(): Promise<void> {
    const run = await this.write(this.inMemory());
    this.keys = [];
    this.ends = [];
    this.filled = 0;
    await this.keep(0, run);
  }

  private async keep(level: number, run: RunReader): Promise<void> {
    const siblings = this.levels[level] ?? [];
    this.levels[level] = siblings;
    siblings.push(run);
    if (siblings.length < this.limits.fanIn) return;
    const merged = await this.write(mergeRuns(siblings));
    this.levels[level] = [];
    for (const old of siblings) {
      await old.close();
      this.diskBytes -= old.bytes;
    }
    await this.keep(level + 1, merged);
  }

  private async write(records: AsyncIterable<SortRecord> | Iterable<SortRecord>): Promise<RunReader> {
    try {
      return await this.writeRun(records);
    } catch (error) {
      const whatToDo =
        'this file is sorted by event time there. Make room, or feed it with --order file if it is sorted already';
      throw explainFull(error, this.limits.folder, whatToDo);
    }
  }

  private async writeRun(records: AsyncIterable<SortRecord> | Iterable<SortRecord>): Promise<RunReader> {
    await mkdir(this.limits.folder, { recursive: true, mode: 0o700 });
    const writer = await RunWriter.create(join(this.limits.folder, `sort-${process.pid}-${filesMade++}`));
    try {
      for await (const { key, sequence, payload } of records) {
        await writer.write(key, sequence, payload);
        if (this.diskBytes + writer.bytes > this.limits.diskBytes)
          throw new PresageError(
            'no_disk_space',
            `Sorting this file by event time needs more than the ${Math.floor(this.limits.diskBytes / 1024 / 1024)} MB that it may take in ${this.limits.folder}: make room, raise --sort-disk, or feed it with --order file if it is sorted already.`,
          );
      }
      const run = await writer.finish();
      this.diskBytes += run.bytes;
      return run;
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }
}
