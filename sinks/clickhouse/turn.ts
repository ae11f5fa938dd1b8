import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../core/index.ts';

/** A share of the event loop that long work gives back in time: decisions are made on the same loop. */
export interface Turn {
  /** Whether the work has had its share. Cheap enough to ask for every row. */
  isOver(): boolean;
  /** Lets the others go first. */
  next(): Promise<void>;
}

/** Long enough that giving way costs next to nothing, short enough that nobody notices. */
const shareMs = 2;

/** One share for all who hold it: of several that wait for their turn, one goes on in each round of the loop. */
export function turnOf(clock: Pick<Clock, 'monotonic'>): Turn {
  let begun = Number.NEGATIVE_INFINITY;
  let line: Promise<void> = Promise.resolve();
  return {
    isOver: () => clock.monotonic() - begun >= shareMs,
    next() {
      line = line.then(nextRound).then(() => {
        begun = clock.monotonic();
      });
      return line;
    },
  };
}

const nextRound = (): Promise<void> => setImmediate();
