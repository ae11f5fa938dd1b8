import { PresageError } from '../../core/index.ts';

/** The error for a reader whose next outbox entry is not there. */
export function outboxLost(
  partition: number,
  offset: number,
  range: { readonly start: number; readonly end: number },
): PresageError {
  return new PresageError(
    'outbox_lost',
    `Outbox entry ${offset} of partition ${partition} is not there: ${range.start} to ${range.end} are kept. Go on at ${range.start}.`,
    { details: { partition, offset, ...range } },
  );
}
