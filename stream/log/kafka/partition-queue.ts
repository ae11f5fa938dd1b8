import type { PresageError } from '../../../core/index.ts';
import { positionLost } from '../checks.ts';
import type { LogRange, LogRecord, PartitionReader } from '../port.ts';
import type { Fetched } from './packed-records.ts';

/** Above this much the partition is paused, until less than half is left. One fetch may come on top. */
const mostBytes = 4 * 1024 * 1024;
const mostRecords = 20_000;

interface Chunk {
  readonly records: Fetched;
  readonly bytes: number;
}

/** What was fetched of a partition and not yet read: bounded, since a full one is paused by whoever fills it. */
export class PartitionQueue {
  readonly partition: number;
  /** Offset of the next record to fetch. */
  next = 0;
  /** Offset of the next record to read. */
  position = 0;
  readonly #drained: () => void;
  readonly #trouble: () => PresageError | null;
  #chunks: Chunk[] = [];
  #taken = 0;
  #bytes = 0;
  #records = 0;
  #state: 'waiting' | 'open' | 'ended' = 'waiting';
  #lost: PresageError | null = null;
  #wake: (() => void) | null = null;

  /** `drained` is called when something was taken and there is room again; `trouble` tells why nothing comes, if so. */
  constructor(partition: number, drained: () => void, trouble: () => PresageError | null) {
    this.partition = partition;
    this.#drained = drained;
    this.#trouble = trouble;
  }

  get isOpen(): boolean {
    return this.#state === 'open' && this.#lost === null;
  }

  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  get isFull(): boolean {
    return this.#bytes >= mostBytes || this.#records >= mostRecords;
  }

  get isEmpty(): boolean {
    return this.#records === 0;
  }

  open(from: number): void {
    if (this.#state !== 'waiting') return;
    this.next = from;
    this.position = from;
    this.#state = 'open';
  }

  /** The next offset is not in the log: the reader gets what is here, and then the error. */
  lose(range: LogRange): void {
    this.#lost ??= positionLost(this.partition, this.next, range);
    this.#wake?.();
  }

  end(): void {
    this.#state = 'ended';
    this.#chunks = [];
    this.#bytes = 0;
    this.#records = 0;
    this.#wake?.();
  }

  push(records: Fetched, bytes: number, next: number): void {
    this.next = next;
    if (records.length === 0) return;
    this.#chunks.push({ records, bytes });
    this.#bytes += bytes;
    this.#records += records.length;
    this.#wake?.();
  }

  reader(): PartitionReader {
    return {
      partition: this.partition,
      next: async (limit, waitMs) => {
        if (this.isEmpty && !this.isEnded && this.#lost === null && waitMs > 0) await this.#some(waitMs);
        if (this.isEnded) return [];
        if (!this.isEmpty) return this.#take(limit);
        if (this.#lost !== null) throw this.#lost;
        const trouble = this.#trouble();
        if (trouble !== null) throw trouble;
        return [];
      },
    };
  }

  #take(limit: number): LogRecord[] {
    const records: LogRecord[] = [];
    for (
      let chunk = this.#chunks[0];
      chunk !== undefined && records.length < limit;
      chunk = this.#chunks[0]
    ) {
      const to = Math.min(chunk.records.length, this.#taken + limit - records.length);
      for (let at = this.#taken; at < to; at++) records.push(chunk.records.at(at) as LogRecord);
      this.#taken = to;
      if (to < chunk.records.length) break;
      this.#chunks.shift();
      this.#taken = 0;
      this.#bytes -= chunk.bytes;
    }
    this.#records -= records.length;
    const last = records.at(-1);
    if (last !== undefined) this.position = last.offset + 1;
    if (this.#hasRoom) this.#drained();
    return records;
  }

  get #hasRoom(): boolean {
    return this.#bytes < mostBytes / 2 && this.#records < mostRecords / 2;
  }

  #some(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      this.#wake = wake;
    });
  }
}
