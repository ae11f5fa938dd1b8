import type { Clock } from '../core/index.ts';

export type BreakerState = 'closed' | 'half-open' | 'open';

export interface Breaker {
  /** Whether a call may be made now. true while half-open: this call is the trial, and no other is until it ends. */
  mayCall(): boolean;
  succeeded(): void;
  /**
   * `lateMs`: how much later than its time a time-out came. Much later, and this process stood still itself: that says
   * nothing of what was asked, and one pause must not close the way for all who waited through it.
   */
  failed(lateMs?: number): void;
  state(): BreakerState;
}

export interface BreakerSettings {
  /** Opens after so many failures in a row, */
  readonly failuresInARow: number;
  /** or when half of the last so many calls failed. */
  readonly calls: number;
  /** Milliseconds from opening to the trial; twice as long after each trial that fails, up to `mostWaitMs`. */
  readonly waitMs: number;
  readonly mostWaitMs: number;
}

export const breakerSettings: BreakerSettings = {
  failuresInARow: 5,
  calls: 20,
  waitMs: 500,
  mostWaitMs: 4_000,
};

/** Timers are late by a millisecond or two where nothing holds them up. */
const ownPauseMs = 10;

/**
 * A circuit breaker (Nygard, Release It!): what fails again and again is not asked for a while, so that those behind it
 * have the time that it would have taken.
 */
export function makeBreaker(
  clock: Pick<Clock, 'monotonic'>,
  settings: BreakerSettings = breakerSettings,
  onChange: (state: BreakerState) => void = () => {},
): Breaker {
  let state: BreakerState = 'closed';
  let inARow = 0;
  let wait = settings.waitMs;
  let tryAt = 0;
  let trialSince = 0;
  /** Of the last calls, whether each failed. */
  let last: boolean[] = [];

  function become(next: BreakerState): void {
    if (next === state) return;
    state = next;
    onChange(next);
  }
  function open(): void {
    tryAt = clock.monotonic() + wait;
    become('open');
  }
  function note(hasFailed: boolean): void {
    inARow = hasFailed ? inARow + 1 : 0;
    last.push(hasFailed);
    if (last.length > settings.calls) last.shift();
  }

  return {
    mayCall() {
      if (state === 'closed') return true;
      const now = clock.monotonic();
      // A trial that never ends must not be the last.
      const isDue = state === 'open' ? now >= tryAt : now >= trialSince + settings.mostWaitMs;
      if (!isDue) return false;
      trialSince = now;
      become('half-open');
      return true;
    },
    succeeded() {
      // An answer to a question from before it opened says nothing of now.
      if (state === 'open') return;
      if (state === 'half-open') {
        last = [];
        wait = settings.waitMs;
        become('closed');
      }
      note(false);
    },
    failed(lateMs = 0) {
      if (state === 'open') return;
      if (state === 'closed' && lateMs > ownPauseMs) return;
      if (state === 'half-open') {
        wait = Math.min(wait * 2, settings.mostWaitMs);
        open();
        return;
      }
      note(true);
      const failures = last.filter(Boolean).length;
      if (inARow < settings.failuresInARow && (last.length < settings.calls || failures * 2 < last.length))
        return;
      inARow = 0;
      last = [];
      open();
    },
    state: () => state,
  };
}
