import type { CapSeen, DecisionRecord, DecisionReview, Verdict } from './decision.ts';

/**
 * What a commit publishes, entry by entry, in one stream per partition. Readers (sink, push, live view) keep their own
 * position in it. Offsets are 0, 1, 2... without gaps.
 */
export type OutboxEntry =
  | { readonly kind: 'batch'; readonly offset: number; readonly batch: BatchReport }
  | { readonly kind: 'dead'; readonly offset: number; readonly dead: DeadLetter }
  | { readonly kind: 'decision'; readonly offset: number; readonly decision: DecisionRecord }
  /** A record for a user's partition of the log, which the relay appends (stream/identity/). */
  | { readonly kind: 'transfer' | 'forward'; readonly offset: number };

/** What the worker found in the log positions first..last (inclusive) of one commit. */
export interface BatchReport {
  readonly first: number;
  readonly last: number;
  /** Positions whose event was a repeat: left out of `events`, listed in `duplicates`. */
  readonly duplicates: readonly number[];
  /** Positions that went to the dead letters. */
  readonly dead: readonly number[];
  /** [position, milliseconds behind the watermark] of events behind it. */
  readonly late: readonly (readonly [number, number])[];
  /** Positions whose stated event time was after its append time and was clamped to it. */
  readonly clamped: readonly number[];
  /** Positions whose event went on to a user's partition: it is accounted for where it arrives. Absent: none. */
  readonly forwarded?: readonly number[];
  /** Positions that brought once more what had been applied already: accounted for the first time. Absent: none. */
  readonly redelivered?: readonly number[];
}

/** A record of the log that could not be used: bytes, reason and coordinates, so that it can be mended and re-driven. */
export interface DeadLetter {
  readonly partition: number;
  readonly position: number;
  readonly appendedAt: number;
  readonly code: string;
  readonly message: string;
  /** The record's bytes, base64. */
  readonly bytes: string;
  /** What could still be read of it. */
  readonly tenant: string | null;
  readonly eventId: string | null;
  readonly source: string | null;
}

/**
 * A decision on its way into the commit: everything but what only the commit knows. `choices` is the complete ranking;
 * for one slot after the other the commit takes the first whose caps all have room, and answers with a Resolution.
 */
export interface DecisionDraft {
  readonly record: DecisionRecord;
  readonly choices: readonly Choice[];
  /** How many of them may be chosen, 1 to 16; absent: 1. */
  readonly slots?: number;
}

export interface Choice {
  /** '' = to offer nothing: it is always available, and ends the slots. */
  readonly action: string;
  readonly caps: readonly CapTake[];
  readonly offer: DecisionRecord['offer'];
  readonly mode: DecisionRecord['mode'];
  /** The purpose that the action serves, where it declares one. */
  readonly purpose?: string | null;
  /** Why it may not be executed without a person's approval; absent: it may. */
  readonly gate?: Verdict;
  /** How a person reviews it; absent: the action has no gate. */
  readonly review?: DecisionReview;
}

/** One cap that choosing an action takes from. */
export interface CapTake {
  /** The cap's id in the workspace, unique within the tenant: names its counter. */
  readonly cap: string;
  /** Session-wide caps name the session; subject-wide caps are null and have a window. */
  readonly session: string | null;
  readonly limit: number;
  /** Rolling window in milliseconds of event time; null = for the whole session. */
  readonly windowMs: number | null;
  /** Event time at which it is taken. */
  readonly at: number;
  /**
   * Absent: as many as the limit have room. `exclude`: of a cap `!<group>/<name>`, only takes of one name of the group
   * have room beside each other. `after`: no room for a window's time after a mark (a dismissal); takes nothing.
   */
  readonly role?: 'exclude' | 'after';
  /**
   * Of a limit that all of the tenant share (the subject's partition takes what it has leased of it): which stretch of
   * event time it counts in, and how many stretches after it share the limit with it.
   */
  readonly lease?: { readonly bucket: number; readonly spans: number };
}

/** What the commit decided of a draft. */
export interface Resolution {
  /** One entry a slot, in order; an entry that chose nothing is the last. */
  readonly slots: readonly SlotResolution[];
  readonly capsSeen: readonly CapSeen[];
}

export interface SlotResolution {
  /** Indexes `choices`; -1 = none had room. */
  readonly chosen: number;
  /** Indexes of the choices that had room, given what earlier slots took, in ranking order. */
  readonly available: readonly number[];
}
