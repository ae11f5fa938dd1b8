import type { Clock } from '../../core/index.ts';

/** A clock that stands until told otherwise. */
export interface ManualClock extends Clock {
  set(now: number): void;
}

export function manualClock(start: number): ManualClock {
  let at = start;
  return {
    now: () => at,
    monotonic: () => at,
    set: (now) => {
      at = now;
    },
  };
}
