import type { Draft, Question } from '../decisions/index.ts';
import type { DeadLetter } from '../schemas/index.ts';
import type { SubjectState } from './features/port.ts';
import type { Item } from './item.ts';
import type { LogRecord } from './log/port.ts';
import type { PartitionState } from './partition-state.ts';
import type { OutboxItem } from './state/port.ts';
import type { Horizon } from './timers/horizon.ts';

/** What a step says of an item. `dead` goes to the dead letters with bytes, reason and coordinates. */
export type StepResult =
  | { readonly kind: 'ok' }
  | { readonly kind: 'drop' }
  /** Not in this batch: the item and all after it come again in the next, and find nothing changed by it. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'dead'; readonly code: string; readonly message: string };

export const ok: StepResult = { kind: 'ok' };
export const drop: StepResult = { kind: 'drop' };
export const wait: StepResult = { kind: 'wait' };
export const dead = (code: string, message: string): StepResult => ({ kind: 'dead', code, message });

/** A step of the topology: looks at one item, changes the batch, says how it goes on. Never throws for bad input. */
export type Step = (item: Item, batch: Batch) => StepResult;

/**
 * Records first..last of one partition and all that they change; becomes one commit. No records: only timers, which
 * the next record made due and which were too many for one commit.
 */
export interface Batch {
  readonly partition: number;
  /** Fewer than were given when a step said 'wait'. */
  records: readonly LogRecord[];
  /** The next offset to process after it. */
  position: number;
  readonly partitionState: PartitionState;
  /** States of the subjects that the batch touches, loaded before the steps run. */
  subjects: Map<string, SubjectState>;
  /** Keys whose state changed. */
  readonly changed: Set<string>;
  readonly duplicates: number[];
  readonly late: [position: number, lateMs: number][];
  readonly clamped: number[];
  /** Newest event time as stated, of events that are not clamped; -Infinity: none. */
  newestTime: number;
  /** Oldest event time as stated, of events that are neither clamped nor late; Infinity: none. */
  oldestTime: number;
  readonly dead: DeadLetter[];
  /** Positions whose event went on to a user's partition. */
  readonly forwarded: number[];
  /** Positions that brought once more what had been applied already. */
  readonly redelivered: number[];
  /** What goes from or comes to a subject's caps and other partitions; takes effect before question number `after`. */
  readonly moves: { readonly after: number; readonly item: OutboxItem }[];
  readonly questions: Question[];
  /** New blobs of shared features. */
  shared: readonly (readonly [key: string, blob: Uint8Array | null])[];
  drafts: readonly Draft[];
  /**
   * Not null: the batch's last record says that from here on this generation is in force; without one, this workspace on
   * the state that there is.
   */
  activation: { readonly generation: number | null; readonly workspace: string } | null;
  /** Which timers are due next; null: the workspace has none. */
  readonly horizon: Horizon | null;
  /** Changed entries of the index of timers, by subject's key. */
  readonly timers: Map<string, number | null>;
  /** Keys of subjects forgotten; one of them may have come back since. */
  readonly expired: Set<string>;
  /** Entries of the index that were looked at, and timers that asked for a decision. */
  looked: number;
  timersFired: number;
  /** Timers that a subject had no room for. */
  timersRefused: number;
}
