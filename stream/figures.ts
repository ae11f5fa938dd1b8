import type { Batch } from './batch.ts';

/** What metrics and progress say of a batch once it is committed, without its objects. */
export interface BatchFigures {
  readonly records: number;
  /** Append times of the first and the last record; undefined: it has none. */
  readonly oldest: number | undefined;
  readonly newest: number | undefined;
  /** Event times; -Infinity and Infinity: it has no event that says how fresh it is. */
  readonly newestTime: number;
  readonly oldestTime: number;
  readonly late: number;
  readonly clamped: number;
  /** Codes of the dead letters. */
  readonly dead: readonly string[];
  /** What became of the records, and of how many. */
  readonly results: Readonly<Record<'new' | 'duplicate' | 'dead' | 'forwarded' | 'redelivered', number>>;
  readonly decisions: readonly { readonly rung: string; readonly reason: string }[];
  readonly timersFired: number;
  readonly timersRefused: number;
  readonly expired: number;
}

export function figuresOf(batch: Batch): BatchFigures {
  const { records, duplicates, dead, forwarded, redelivered } = batch;
  const others = duplicates.length + dead.length + forwarded.length + redelivered.length;
  return {
    records: records.length,
    oldest: records[0]?.appendedAt,
    newest: records.at(-1)?.appendedAt,
    newestTime: batch.newestTime,
    oldestTime: batch.oldestTime,
    late: batch.late.length,
    clamped: batch.clamped.length,
    dead: dead.map(({ code }) => code),
    results: {
      new: records.length - others,
      duplicate: duplicates.length,
      dead: dead.length,
      forwarded: forwarded.length,
      redelivered: redelivered.length,
    },
    decisions: batch.drafts.map(({ record }) => ({ rung: record.rung, reason: record.rungReason })),
    timersFired: batch.timersFired,
    timersRefused: batch.timersRefused,
    expired: batch.expired.size,
  };
}
