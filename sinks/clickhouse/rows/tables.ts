/** Base tables that the sink writes, in the order it does. */
export const tableNames = [
  'events',
  'decision_rows',
  'exposure_rows',
  'outcome_event_rows',
  'review_rows',
  'dead_letter_rows',
  'duplicate_rows',
  'control_event_rows',
  'identity_transfer_rows',
  'forwarded_event_rows',
] as const;
export type TableName = (typeof tableNames)[number];
