import type { Cell } from '../parts/ring.ts';
import type { Reads } from './kind.ts';

/** What the kinds over rolling windows (count, sum, min, max, mean) tell of themselves. */
export interface Measure {
  readonly cell: Cell;
  readonly reads: Reads;
  /** The value of a window without events. */
  readonly ofNothing: number | null;
  readonly sql: MeasureSql;
}

/** A measure in SQL: aggregate functions of the window's amounts, and its value from their results. */
export interface MeasureSql {
  readonly aggregates: readonly {
    /** Name of a ClickHouse aggregate function of one argument. */
    readonly name: string;
    /** Its argument, of the event's amount. */
    of(amount: string): string;
  }[];
  /** The value as Float64, of the aggregates' results over at least one event; `unit` is 10^scale. */
  value(results: readonly string[], unit: string): string;
}
