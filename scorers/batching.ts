import { type Clock, PresageError } from '../core/index.ts';
import type { Scorer } from './port.ts';

/** Rows that go to the model in one call, of several callers. */
const mostRows = 256;
/** Callers that may wait for their turn: a model that is behind by more answers nobody in time. */
const mostWaiting = 64;
/** Longest that a caller waits for others to share its call with, when none is under way. */
const gatherMs = 1;

interface Caller {
  readonly rows: Float32Array;
  readonly count: number;
  /** After it nobody waits for the answer. */
  readonly until: number;
  resolve(scores: Float32Array): void;
  reject(error: unknown): void;
}

/**
 * Callers of one moment share a call: those of one turn of the event loop, at most 1 ms, and those who come while a
 * call is under way. A call that fails for several is made again for each alone, so that a row which the model cannot
 * score is its caller's trouble only.
 */
export function batched(scorer: Scorer, clock: Pick<Clock, 'monotonic'>): Scorer {
  const { model } = scorer;
  const waiting: Caller[] = [];
  let isUnderWay = false;
  let isSet = false;

  function next(): void {
    if (isUnderWay || isSet || waiting.length === 0) return;
    isSet = true;
    const begun = clock.monotonic();
    const go = (): void => {
      clearTimeout(timer);
      clearImmediate(turn);
      if (!isSet) return;
      isSet = false;
      void flush();
    };
    // Whichever comes first; under load a turn of the loop may take longer than the timer.
    const timer = setTimeout(go, Math.max(0, gatherMs - (clock.monotonic() - begun)));
    const turn = setImmediate(go);
  }

  async function flush(): Promise<void> {
    isUnderWay = true;
    const callers = take();
    try {
      if (callers.length > 0) await call(callers);
    } finally {
      isUnderWay = false;
      next();
    }
  }

  function take(): Caller[] {
    const callers: Caller[] = [];
    const now = clock.monotonic();
    let rows = 0;
    for (let caller = waiting[0]; caller !== undefined; caller = waiting[0]) {
      if (callers.length > 0 && rows + caller.count > mostRows) break;
      waiting.shift();
      if (now > caller.until) {
        caller.reject(refused('timed_out', 'got to it too late'));
        continue;
      }
      callers.push(caller);
      rows += caller.count;
    }
    return callers;
  }

  async function call(callers: readonly Caller[]): Promise<void> {
    const [only] = callers;
    const until = Math.max(...callers.map((caller) => caller.until));
    try {
      if (callers.length === 1 && only !== undefined) {
        only.resolve(await scorer.score(only.rows, only.count, until - clock.monotonic()));
        return;
      }
      const all = new Float32Array(callers.reduce((sum, { rows }) => sum + rows.length, 0));
      let at = 0;
      let count = 0;
      for (const caller of callers) {
        all.set(caller.rows, at);
        at += caller.rows.length;
        count += caller.count;
      }
      const scores = await scorer.score(all, count, until - clock.monotonic());
      let from = 0;
      for (const caller of callers) {
        caller.resolve(scores.subarray(from, from + caller.count));
        from += caller.count;
      }
    } catch (error) {
      if (callers.length === 1 || !isOfARow(error)) for (const caller of callers) caller.reject(error);
      else for (const caller of callers) await call([caller]);
    }
  }

  const refused = (code: string, why: string): PresageError =>
    new PresageError(code, `Model "${model.id}" ${why}.`, { details: { model: model.id } });

  return {
    model,
    score(rows, count, withinMs = Number.POSITIVE_INFINITY) {
      if (count === 0 || rows.length !== count * model.inputs.length)
        return scorer.score(rows, count, withinMs);
      if (waiting.length >= mostWaiting)
        return Promise.reject(refused('busy', `has ${mostWaiting} callers waiting already`));
      return new Promise((resolve, reject) => {
        waiting.push({ rows, count, until: clock.monotonic() + withinMs, resolve, reject });
        next();
      });
    },
    close: () => scorer.close(),
  };
}

/** One row was to blame: for the others the call may succeed. */
export const isOfARow = (error: unknown): boolean =>
  error instanceof PresageError && error.code === 'scorer_failed' && error.details.row !== undefined;
