import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../core/index.ts';

/** A turn of the event loop that long work gives back in time: decisions are made on the same loop. */
export interface Turn {
  /** Whether the work has had its share. Cheap enough to ask for every row. */
  isOver(): boolean;
  /** Lets the others go first. */
  next(): Promise<void>;
}

/** Long enough that giving way costs next to nothing, short enough that nobody notices. */
const shareMs = 2;

export function turnOf(clock: Pick<Clock, 'monotonic'>): Turn {
  let begun = clock.monotonic();
  return {
    isOver: () => clock.monotonic() - begun >= shareMs,
    async next() {
      await nextTurn();
      begun = clock.monotonic();
    },
  };
}
