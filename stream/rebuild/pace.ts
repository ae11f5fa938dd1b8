import type { Clock } from '../../core/index.ts';

/** Lets those who build state work in turns, so that what is served comes first. */
export interface Pace {
  /** How many records the next step should take. */
  records(): number;
  /** Runs a step when nobody else does; not at all once the signal is aborted. Rejects as the work does. */
  step(signal: AbortSignal, work: () => Promise<StepCost | null>): Promise<void>;
}

/** What a step did, and how long it kept the processor; null: nothing that says how long records take. */
export interface StepCost {
  readonly records: number;
  readonly busyMs: number;
}

export interface PaceParts {
  readonly clock: Clock;
  /** Resolves earlier when the signal is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** A step is to keep the processor so long: about what a decision that comes meanwhile waits for. */
const stepMs = 4;
/** Longer steps have waited for something else. */
const mostIdleMs = 250;
const lateFromMs = 3;
export const paceRecords = { first: 100, least: 100, most: 500 } as const;

/**
 * One step at a time, whoever asks: each keeps the processor for about 4 ms, and then all are idle for as long as the
 * step took, and longer where the processor is busy without them. All shadows together so take half of the program's time
 * at most.
 */
export function makePace({ clock, pause }: PaceParts): Pace {
  let size: number = paceRecords.first;
  let last: Promise<void> = Promise.resolve();

  async function rest(tookMs: number, signal: AbortSignal): Promise<void> {
    const idleMs = Math.min(mostIdleMs, Math.max(1, tookMs));
    const begun = clock.monotonic();
    await pause(idleMs, signal);
    // Woken late, others wait for the processor too.
    const lateMs = clock.monotonic() - begun - idleMs;
    if (lateMs >= lateFromMs) await pause(Math.min(mostIdleMs, lateMs * 4), signal);
  }

  function resize({ records, busyMs }: StepCost): void {
    const fitting = (records * stepMs) / Math.max(0.1, busyMs);
    // Halfway there, at most twice as many: one step that was disturbed says little.
    const next = Math.min((size + fitting) / 2, size * 2);
    size = Math.round(Math.min(paceRecords.most, Math.max(paceRecords.least, next)));
  }

  return {
    records: () => size,
    step(signal, work) {
      const run = async (): Promise<void> => {
        if (signal.aborted) return;
        const begun = clock.monotonic();
        try {
          const cost = await work();
          if (cost !== null) resize(cost);
        } finally {
          await rest(clock.monotonic() - begun, signal);
        }
      };
      const turn = last.then(run);
      last = turn.catch(() => {});
      return turn;
    },
  };
}
