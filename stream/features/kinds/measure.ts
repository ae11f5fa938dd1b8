import type { Cell } from '../parts/ring.ts';
import type { Reads } from './kind.ts';

/** What the kinds over rolling windows (count, sum, min, max, mean) tell of themselves. */
export interface Measure {
  readonly cell: Cell;
  readonly reads: Reads;
  /** The value of a window without events. */
  readonly ofNothing: number | null;
}
