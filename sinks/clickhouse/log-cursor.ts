import type { LogRecord, PartitionReader } from '../../stream/log/port.ts';

/** Records of one partition that have been read and not yet written, so that a block can be put together again after an error. */
export interface LogCursor {
  /**
   * Records `first` to `last`, both included, as far as they lie at or after the cursor's beginning. Waits for them: a
   * commit has named them, so the log has them. Throws what the reader throws, and `Stopped`.
   */
  between(first: number, last: number): Promise<LogRecord[]>;
  /** Forgets records below `offset`. */
  release(offset: number): void;
}

/** Thrown out of a wait when the sink is told to stop. */
export class Stopped extends Error {}

const readRecords = 2_000;
const waitMs = 500;

/** `from` is where the reader stands. */
export function logCursor(reader: PartitionReader, from: number, isStopped: () => boolean): LogCursor {
  let held: LogRecord[] = [];
  let next = from;
  return {
    async between(first, last) {
      while (next <= last) {
        if (isStopped()) throw new Stopped();
        for (const record of await reader.next(Math.min(readRecords, last - next + 1), waitMs)) {
          held.push(record);
          next = record.offset + 1;
        }
      }
      return held.filter(({ offset }) => offset >= first && offset <= last);
    },
    release(offset) {
      held = held.filter((record) => record.offset >= offset);
    },
  };
}
