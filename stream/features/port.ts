import type { FeatureVector, StoredEvent } from '../../schemas/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { SessionEnd, Timers } from './timers/index.ts';

/** An event as features see it: identity, effective time, type, properties. */
export interface FeatureEvent {
  readonly id: string;
  readonly type: string;
  /** Event time after clamping, Unix milliseconds. */
  readonly time: number;
  readonly session: string | null;
  readonly properties: StoredEvent['properties'];
  /** Hash of `id` (parts/hash.ts), if `isIdHashed`. */
  readonly isIdHashed?: boolean;
  readonly idHigh?: number;
  readonly idLow?: number;
  /** The properties that `FeatureSet.properties` names, read in place. Absent or null: `properties` has them. */
  readonly values?: PropertyValues | null;
}

/** Values of an event's properties by their place in `FeatureSet.properties`. */
export interface PropertyValues {
  /** NaN if the property is absent or no number. */
  numberOf(column: number): number;
  /** As `textOf` (parts/text.ts) makes it of the value, but not cut yet; null if it has no text. */
  textOf(column: number): string | null;
}

/** A subject's whole state in memory; opaque outside stream/features. */
export interface SubjectState {
  /** Position it reflects: events at or below it are already in. -1 = none. */
  readonly position: number;
  /** The subject's own newest event time; -Infinity before the first. */
  readonly newest: number;
  /** The current session's id (client's, or derived from gaps), or null before the first event. */
  readonly session: string | null;
  /** When this subject's entry in the index of timers is due, as of the next commit; Infinity: it has none. */
  indexed: number;
  /** What it waits for; null: nothing. Changed by stream/timers only. */
  timers: Timers | null;
  /** Not null: an anonymous subject whose state is now this known user's; only the link is left of it. */
  readonly moved: { readonly to: string; readonly isVouched: boolean } | null;
}

export interface StateContents {
  /** Event ids remembered against repeats, and event time of the oldest; -Infinity: none. */
  readonly remembered: number;
  readonly oldestRemembered: number;
  /** Anonymous ids seen beside this user, and whether their state has arrived. */
  readonly links: readonly { readonly anonymousId: string; readonly hasArrived: boolean }[];
  /** What each feature keeps, in words, in workspace order. */
  readonly slots: readonly { readonly name: string; readonly kind: string; readonly words: string | null }[];
}

/** All features of one workspace as one machine: events in, values out, blobs in between. Pure; no I/O; no clock. */
export interface FeatureSet {
  /** Identifies the layout of blobs this set writes. */
  readonly layout: number;
  /** What to store once so that blobs of this layout can be read by later versions. */
  readonly layoutDescription: string;
  /** Names of the properties that features read (conditions apart): what a decoder should read in place. */
  readonly properties: readonly string[];
  empty(): SubjectState;
  /** false = a repeat: nothing changed but the position. */
  update(state: SubjectState, event: FeatureEvent, position: number): boolean;
  /** Every feature's value at event time `at` (of the decision: the event's time). Names in workspace order. */
  read(state: SubjectState, at: number): FeatureVector;
  /** Event time of the newest event of any sort that is remembered; -Infinity: none. */
  activity(state: SubjectState): number;
  /** Where each remembered session ends. */
  sessionEnds(state: SubjectState): SessionEnd[];
  /**
   * `into` becomes the state of both subjects' events, as if they had been one subject's from the start (in the
   * bounds of each kind, an event of one being as late as it is older than the newest of both); its position stays,
   * and `from` must not be used again. An event that both have seen counts twice, except for `last`, `last_n`, `min`,
   * `max`, `distinct`, `approx_distinct`, `sequence` and `time_since`. What `from` waits for is re-checked against both histories (timers/timers.ts);
   * the index of timers is the caller's. Returns how many waits there was no room for.
   */
  merge(into: SubjectState, from: SubjectState): number;
  /**
   * Features that a layout (its description) has not got get what `from` has of them: `into` was read from a blob of that
   * layout, and `from` must not be used again.
   */
  fill(into: SubjectState, from: SubjectState, layout: string): void;
  /** What the state holds beside values, for people who look into it. */
  inspect(state: SubjectState): StateContents;
  encode(state: SubjectState): Uint8Array;
  /** Throws PresageError `state_unreadable` (corrupt) or `layout_unknown`. */
  decode(blob: Uint8Array): SubjectState;
  /** Makes blobs of an older layout readable: features with the same hash keep their state, new ones begin empty. */
  learnLayout(description: string): void;
}

export type MakeFeatureSet = (workspace: CompiledWorkspace) => FeatureSet;
