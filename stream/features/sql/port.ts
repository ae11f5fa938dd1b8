/**
 * How a kind of feature is computed by ClickHouse: from the events that a subject had at a point of the log, by SQL
 * alone. It shares no code with the state that serves (docs/parity.md), so where the two differ one of them is wrong.
 */
export interface KindSql {
  /** How far a served value may be from the computed one; null: not at all. */
  readonly bound: Bound | null;
  /** An aggregate expression over the events of one point (`SqlParts`) that gives the feature's value. */
  value(parts: SqlParts): string;
  /**
   * An aggregate expression that tells whether the subject's events exceed what the kind is documented to keep, so that
   * the served value may differ. Only asked where it does; left out where nothing can be exceeded.
   */
  beyond?(parts: SqlParts): string;
}

/** A served number may differ by `absolute`, or by `relative` times the computed one, whichever is more. */
export interface Bound {
  readonly absolute: number;
  readonly relative: number;
  /** In words, for people: where it is published, or why it is so. */
  readonly why: string;
}

/**
 * SQL expressions over one event of a point. Also columns: `at` (the decision's time), `time` (the event's, clamped;
 * both Unix milliseconds, Int64), `id`, `type`, `position`, and `newest` (of the subject's ordinary events at the point).
 */
export interface SqlParts {
  /** The event is one that the feature reads: its type, its condition, and that it has the property and the key. */
  readonly matches: string;
  /** The same, and it lies in the feature's window as of the decision: of buckets (b(at) - n, b(at)], see parts/ring.ts. */
  readonly inWindow: string;
  /** The event's bucket in the feature's window. */
  readonly bucket: string;
  /** The property as the kind reads it: `amount` as Int64, `number` as Float64, `text` as String; '0' for `nothing`. */
  readonly value: string;
  /** The value of the `by` property as String. */
  readonly key: string;
  /** False for an event whose (time, id) an earlier one had: a repeat beyond what de-duplication remembers. */
  readonly isFirst: string;
  /** The column of an aggregate over the point's events that is computed beforehand, so that the value can build on it. */
  before(aggregate: string): string;
  /** Of a sequence: `matches` of each of its steps. */
  readonly steps: readonly string[];
  /**
   * The column of the session at the point: how many matching events it has, or the time of the first; NULL without
   * a session or such an event; `runs`: how many runs the point's events form, whichever matches. An aggregate: the same for all events of the point.
   */
  session(measure: 'count' | 'first' | 'runs'): string;
}

/** A text as an SQL literal. */
export const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;

/** The nearest double of an integer of any size: ClickHouse's own conversion of wide integers is not always that. */
export const doubleOf = (integer: string): string =>
  `if(abs(${integer}) < 9007199254740992, toFloat64(toInt64(${integer})), toFloat64(toString(${integer})))`;

/** Whether a window of the subject's history held more than `most` different values: what a feature keeps of them. */
export function moreThan(
  most: number,
  matches: string,
  bucket: string,
  value: string,
  buckets: number,
): string {
  const all = `groupUniqArrayIf((${bucket}, ${value}), ${matches})`;
  const inWindow = `arrayFilter(y -> y.1 <= x AND y.1 > x - ${buckets}, ${all})`;
  return `arrayExists(x -> arrayUniq(arrayMap(y -> y.2, ${inWindow})) > ${most}, arrayMap(x -> x.1, ${all}))`;
}
