import type { MovedFrom, StoredEvent } from '../../schemas/index.ts';

/** An event that a partition's state was made from, as the event table has it. */
export interface HistoryRow {
  readonly position: number;
  /** When it was appended to the log; for a moved one, where it came from. */
  readonly appendedAt: number;
  readonly event: StoredEvent;
  /** Not null: with it, an anonymous id's state came to the user. */
  readonly transfer: { readonly from: MovedFrom; readonly hasState: boolean } | null;
}

/** An anonymous id whose state an `identify` at this place of its partition closed. */
export interface Closed {
  readonly tenant: string;
  readonly anonymousId: string;
  readonly partition: number;
  readonly position: number;
}

/** The event table, from which state can be made again when the log no longer has everything. */
export interface EventHistory {
  /** Everything of the partition below this position is in the table; null: not known yet. */
  end(partition: number): number | null;
  /** What changed states at positions from `from` to before `to`, in order. */
  rows(partition: number, from: number, to: number): Promise<HistoryRow[]>;
  /** For each: what the anonymous id had done since it last was closed, in order. */
  closed(asked: readonly Closed[]): Promise<(readonly HistoryRow[])[]>;
}
