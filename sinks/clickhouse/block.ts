import type { OutboxEntry } from '../../schemas/index.ts';
import type { LogRecord } from '../../stream/log/port.ts';
import { readOutboxEntry } from '../../stream/outbox.ts';
import type { StateStore, StoredOutboxEntry } from '../../stream/state/port.ts';
import type { LogCursor } from './log-cursor.ts';
import type { Progress } from './progress.ts';
import type { Turn } from './turn.ts';

/** A stretch of the outbox with the records of the log that it speaks of: what one round of inserts writes. */
export interface Block {
  readonly entries: readonly OutboxEntry[];
  readonly records: readonly LogRecord[];
  /** The next outbox entry after it. */
  readonly outboxEnd: number;
  /** Mark of the last entry. */
  readonly mark: string | null;
  /** The next log record after it. */
  readonly logEnd: number;
  /** It ends at its limits: there may be more at once. */
  readonly isFull: boolean;
}

export interface BlockLimits {
  readonly entries: number;
  readonly events: number;
  readonly bytes: number;
}

export interface BlockSource {
  readonly partition: number;
  readonly store: Pick<StateStore, 'readOutbox'>;
  readonly log: LogCursor;
  readonly limits: BlockLimits;
  readonly turn: Turn;
}

/** Entries read at once: bounds what is held beside the block itself. */
const readEntries = 500;

/**
 * The next block from `progress` on, as large as there is and the limits allow (one entry may go over them); null when
 * there is nothing after `waitMs`. A block that was in flight is read again exactly as it was.
 */
export async function readBlock(
  source: BlockSource,
  progress: Progress,
  waitMs: number,
): Promise<Block | null> {
  const { partition, store, limits } = source;
  const end = progress.inFlight?.outboxEnd ?? progress.outbox + limits.entries;
  const entries: OutboxEntry[] = [];
  const records: LogRecord[] = [];
  let bytes = 0;
  let next = progress.outbox;
  let { mark } = progress;
  let logEnd = progress.log;

  const isFull = (): boolean =>
    progress.inFlight === null && (records.length >= limits.events || bytes >= limits.bytes);

  while (next < end && !isFull()) {
    const patience = progress.inFlight !== null || entries.length === 0 ? waitMs : 0;
    const count = Math.min(readEntries, end - next);
    const stored = await store.readOutbox(partition, next, count, patience, mark);
    if (stored.length === 0) {
      if (progress.inFlight === null) break;
      return null;
    }
    for (const each of stored) {
      if (isFull()) break;
      if (source.turn.isOver()) await source.turn.next();
      const entry = readOutboxEntry(each);
      entries.push(entry);
      next = each.offset + 1;
      mark = each.mark;
      bytes += sizeOf(each);
      if (entry.kind !== 'batch') continue;
      for (const record of await source.log.between(entry.batch.first, entry.batch.last)) {
        records.push(record);
        bytes += record.value.length;
      }
      logEnd = Math.max(logEnd, entry.batch.last + 1);
    }
  }
  return entries.length === 0
    ? null
    : { entries, records, outboxEnd: next, mark, logEnd, isFull: isFull() || next >= end };
}

const sizeOf = (entry: StoredOutboxEntry): number => entry.payload.length;
