import { PresageError } from '../../core/index.ts';
import type { LogRange, NewRecord } from './port.ts';

/** The largest record: far above the tracking API's limit of 32 KB an event. */
export const maxRecordBytes = 1024 * 1024;

/** Throws PresageError `log_invalid` when a record can never be appended. */
export function checkRecords(records: readonly NewRecord[], partitions: number): void {
  for (const { partition, key, value } of records) {
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitions)
      throw invalid(`partition ${partition} does not exist; the log has 0 to ${partitions - 1}`);
    if (value.length > maxRecordBytes)
      throw invalid(`the record of ${key} has ${value.length} bytes, over the ${maxRecordBytes} allowed`);
  }
}

const invalid = (why: string): PresageError =>
  new PresageError('log_invalid', `Nothing was appended to the log: ${why}.`);

/** The error for a reader whose next record is not there. */
export function positionLost(partition: number, offset: number, { start, end }: LogRange): PresageError {
  const why = offset < start ? `the oldest kept is ${start}` : `the log ends at ${end}`;
  return new PresageError(
    'log_position_lost',
    `Partition ${partition} of the log cannot be read from ${offset}: ${why}. Its state was made from another log, or the log was trimmed too far: rebuild the state with presage rebuild, or restore the log.`,
    { details: { partition, offset, start, end } },
  );
}

/** The error for an append above the memory bound. */
export function logFull(why: string): PresageError {
  return new PresageError('log_full', `Nothing was appended to the log: ${why}. Try again in a moment.`, {
    retriable: true,
  });
}
