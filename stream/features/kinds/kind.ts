import type { FeatureValue } from '../../../schemas/index.ts';
import type { Reader, Writer } from '../parts/bytes.ts';
import type { Run } from '../parts/sessions.ts';
import type { Column } from '../parts/table.ts';
import type { KindSql } from '../sql/port.ts';
import type { Subject } from '../subject.ts';

/** One event as a feature sees it. One object is used for all events. */
export interface Observation {
  time: number;
  /** Made when asked for: costs a text. */
  readonly id: string;
  /** The property as an exact decimal (`amount`), or as it is (`number`). */
  number: number;
  text: string;
  /** The value of the `by` property. */
  key: string;
  /** Which step of a sequence the event is; 0 elsewhere. */
  step: number;
  /** The session the event belongs to; null for system events. */
  run: Run | null;
}

/** What a kind needs of the event; events without it leave the feature as it is. */
export type Reads = 'nothing' | 'amount' | 'number' | 'text';

/**
 * A kind of feature: which state it keeps per subject (its slot), how an event changes it, and its value at a time.
 * A slot's content depends on the set of events only, never on their order.
 */
export interface Kind<Slot> {
  readonly reads: Reads;
  /** The same value by ClickHouse, from the events themselves. */
  readonly sql: KindSql;
  empty(): Slot;
  update(slot: Slot, seen: Observation, subject: Subject): void;
  /** The value at event time `at`; changes nothing. */
  read(slot: Slot, at: number, subject: Subject): FeatureValue;
  /** Its state is a column of a table, written with the table, and the slot stays empty. */
  readonly column?: Column;
  /** Writes nothing for a slot that equals an empty one; equal slots give equal bytes. */
  encode(slot: Slot, writer: Writer, subject: Subject): void;
  decode(reader: Reader, subject: Subject): Slot;
  /** What the slot holds, for people who look into a subject's state; absent: the value says all. */
  words?(slot: Slot, subject: Subject): string;
  /** Adds another subject's slot; `subject` is the target, already with the newest event time of both. */
  merge(into: Slot, from: Slot, subject: Subject, source: Subject): void;
  /** Gives an empty slot what `source` has, a subject of the same events; absent: merging does. */
  fill?(into: Slot, from: Slot, subject: Subject, source: Subject): void;
}
