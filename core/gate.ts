import { PresageError } from './errors.ts';

/**
 * Lets work pass, or holds it back for a while: closed, it waits until those inside have left, and whoever comes waits
 * outside. Work must not pass twice, or it would wait for itself.
 */
export interface Gate {
  /** Resolves when the caller may go on, with how to leave. Throws what `refusal` makes when it waited too long. */
  enter(): Promise<() => void>;
  /** Enters, works and leaves. */
  within<T>(work: () => Promise<T>): Promise<T>;
  /** Nobody comes in any more; true when everybody inside has left within `withinMs`. */
  close(withinMs: number): Promise<boolean>;
  open(): void;
}

export interface GateOptions {
  /** How long one waits outside. */
  readonly patienceMs: number;
  /** For the sentence of who waited too long: what is going on. */
  readonly what: string;
}

export function makeGate({ patienceMs, what }: GateOptions): Gate {
  let inside = 0;
  let isClosed = false;
  const outside = new Set<() => void>();
  const leavers = new Set<() => void>();

  function leave(): void {
    inside -= 1;
    if (inside === 0) for (const told of [...leavers]) told();
  }

  function once(): () => void {
    inside += 1;
    let isIn = true;
    return () => {
      if (isIn) leave();
      isIn = false;
    };
  }

  function wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const come = (): void => {
        clearTimeout(timer);
        outside.delete(come);
        resolve();
      };
      const timer = setTimeout(() => {
        outside.delete(come);
        reject(new PresageError('held_back', `${what}; try again shortly.`, { retriable: true }));
      }, patienceMs);
      outside.add(come);
    });
  }

  async function enter(): Promise<() => void> {
    while (isClosed) await wait();
    return once();
  }

  return {
    enter,
    async within(work) {
      const leaveIt = await enter();
      try {
        return await work();
      } finally {
        leaveIt();
      }
    },
    close(withinMs) {
      isClosed = true;
      if (inside === 0) return Promise.resolve(true);
      return new Promise((resolve) => {
        const done = (hasEmptied: boolean): void => {
          clearTimeout(timer);
          leavers.delete(emptied);
          resolve(hasEmptied);
        };
        const emptied = (): void => done(true);
        const timer = setTimeout(() => done(false), withinMs);
        leavers.add(emptied);
      });
    },
    open() {
      isClosed = false;
      for (const come of [...outside]) come();
    },
  };
}
