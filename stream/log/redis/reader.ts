import { type BlockingReads, isTransient, type RedisCaller, type StreamEntry } from '../../redis/index.ts';
import { positionLost } from '../checks.ts';
import type { LogRange, LogRecord, PartitionReader } from '../port.ts';
import { recordOf } from './record.ts';

export interface ReaderParts {
  readonly partition: number;
  readonly key: string;
  readonly from: number;
  readonly reads: BlockingReads;
  readonly caller: RedisCaller;
  readonly range: () => Promise<LogRange>;
  /** Aborted when the subscription stops; its reads are closed then too. */
  readonly signal: AbortSignal;
}

/** One read fetches about this much; the next is fetched while the first is being worked on. */
const readBytes = 2 * 1024 * 1024;
const readRecords = 2_000;

/**
 * Reads a partition in order. At most two fetches are held, the one being consumed and the next: a consumer that stops
 * asking stops the reading. After a lost connection it goes on at the next offset; nothing is skipped or repeated.
 */
export function partitionReader(parts: ReaderParts): PartitionReader {
  const { partition, signal } = parts;
  let buffer: LogRecord[] = [];
  let taken = 0;
  let fetchFrom = parts.from;
  let averageBytes = 4_096;
  let hasMore = false;
  let ahead: Promise<LogRecord[]> | null = null;

  async function fetch(waitMs: number): Promise<LogRecord[]> {
    const count = Math.max(1, Math.min(readRecords, Math.floor(readBytes / averageBytes)));
    const entries = await parts.reads.read(parts.key, fetchFrom, count, waitMs);
    hasMore = entries.length === count;
    const first = entries[0];
    if (first === undefined || first.offset !== fetchFrom) {
      if (!signal.aborted) await checkPosition(first);
      return [];
    }
    const records = entries.map(recordOf);
    fetchFrom += records.length;
    averageBytes = records.reduce((sum, { value }) => sum + value.length, 256) / records.length;
    return records;
  }

  /** Nothing came, or something else did: is the next offset still one that this log will have? */
  async function checkPosition(first: StreamEntry | undefined): Promise<void> {
    const range = await parts.range();
    if (first !== undefined || fetchFrom < range.start || fetchFrom > range.end)
      throw positionLost(partition, fetchFrom, range);
  }

  /** What was fetched ahead, else what comes within `waitMs`; outlasts a connection lost meanwhile. */
  async function refill(waitMs: number): Promise<LogRecord[]> {
    const fetched = await takeAhead();
    if (fetched.length > 0) return fetched;
    try {
      return await fetch(waitMs);
    } catch (error) {
      if (!isTransient(error)) throw error;
      throw parts.caller.unavailable(`read partition ${partition} of the log`, error);
    }
  }

  async function takeAhead(): Promise<LogRecord[]> {
    const fetching = ahead;
    ahead = null;
    try {
      return (await fetching) ?? [];
    } catch (error) {
      if (!isTransient(error)) throw error;
      return [];
    }
  }

  function fetchAhead(): void {
    ahead = fetch(0);
    // Whoever asks next gets the error; until then it must not count as unhandled.
    ahead.catch(() => {});
  }

  return {
    partition,
    async next(limit, waitMs) {
      if (taken === buffer.length) {
        buffer = signal.aborted ? [] : await refill(waitMs);
        taken = 0;
      }
      if (signal.aborted) return [];
      if (hasMore && ahead === null && buffer.length > 0) fetchAhead();
      const records = buffer.slice(taken, taken + limit);
      taken += records.length;
      return records;
    },
  };
}
