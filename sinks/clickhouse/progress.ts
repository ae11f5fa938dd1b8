import { z } from 'zod';
import { PresageError } from '../../core/index.ts';

/**
 * How far the sink is in one partition, kept in the state store under the reader name `sink`. Blocks between the saves
 * around them: `inFlight` is written before a block's first insert and gone after its last, so that after a crash
 * exactly that block is written again, under the same tokens.
 */
const progressSchema = z.object({
  v: z.literal(1),
  /** Names a stretch of outbox offsets: another one begins when they start over. Grows. */
  epoch: z.number().int().nonnegative(),
  /** The next outbox entry to read. */
  outbox: z.number().int().nonnegative(),
  /** Mark of the entry before it; null: not known. Where another stands there, the store has gone back in time. */
  mark: z.string().nullable().default(null),
  /** The next log record to read. */
  log: z.number().int().nonnegative(),
  inFlight: z.object({ outboxEnd: z.number().int(), logEnd: z.number().int() }).nullable(),
});
export type Progress = Readonly<z.infer<typeof progressSchema>>;

/** The progress as saved; null before the first save. Throws `sink_state_damaged`. */
export function readProgress(partition: number, saved: string | null): Progress | null {
  if (saved === null) return null;
  try {
    return progressSchema.parse(JSON.parse(saved));
  } catch (cause) {
    throw new PresageError(
      'sink_state_damaged',
      `The sink's saved position of partition ${partition} can't be read: ${saved.slice(0, 100)}. Nothing was written; restore the state store from a backup.`,
      { cause },
    );
  }
}

/** Tells a block's rows of one table from all others: the same block, and only that, gets the same token. */
export function tokenOf(
  partition: number,
  progress: Progress,
  end: { readonly outboxEnd: number; readonly logEnd: number },
  table: string,
): string {
  return `${partition}:${progress.epoch}:outbox=${progress.outbox}-${end.outboxEnd}:log=${progress.log}-${end.logEnd}:${table}`;
}

/**
 * Version of a decision row: later epochs stand over earlier ones, later entries over earlier ones. 32 bits of epoch
 * (seconds) and 32 bits of offset; the order is all that counts.
 */
export const versionOf =
  (epoch: number) =>
  (offset: number): bigint =>
    (BigInt(epoch) << 32n) | BigInt(offset % 2 ** 32);
