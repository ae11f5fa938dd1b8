import { describe, expect, it } from 'vitest';
import { PresageError } from '../core/index.ts';
import type { CompiledModel } from '../workspace/index.ts';
import { batched } from './batching.ts';

const model = { id: 'm', inputs: ['a'] } as unknown as CompiledModel;

/** Doubles each row, and notes the calls. A negative row fails the call. `hold` keeps a call until it is let go. */
function rig() {
  const calls: number[][] = [];
  const held: (() => void)[] = [];
  const state = { holds: false, now: 0 };
  const scorer = batched(
    {
      model,
      async score(rows, count) {
        calls.push([...rows]);
        if (state.holds) await new Promise<void>((go) => held.push(go));
        const row = rows.findIndex((value) => value < 0);
        if (row >= 0) throw new PresageError('scorer_failed', 'no', { details: { row } });
        expect(count).toBe(rows.length);
        return rows.map((value) => value * 2);
      },
      close: async () => {},
    },
    { monotonic: () => state.now },
  );
  const score = async (...rows: number[]) => [...(await scorer.score(Float32Array.from(rows), rows.length))];
  return { calls, held, state, scorer, score };
}

describe('callers of one moment', () => {
  it('share a call, and each gets its own scores', async () => {
    const { calls, score } = rig();
    expect(await Promise.all([score(1, 2), score(3), score(4, 5, 6)])).toEqual([[2, 4], [6], [8, 10, 12]]);
    expect(calls).toEqual([[1, 2, 3, 4, 5, 6]]);
  });

  it('are told alone of a row that the model cannot score', async () => {
    const { score } = rig();
    const [one, bad, two] = await Promise.allSettled([score(1), score(-1), score(2)]);
    expect(one).toEqual({ status: 'fulfilled', value: [2] });
    expect(two).toEqual({ status: 'fulfilled', value: [4] });
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'scorer_failed' } });
  });

  it('go in calls of at most 256 rows', async () => {
    const { calls, score } = rig();
    const hundred = Array.from({ length: 100 }, (_, n) => n);
    await Promise.all([score(...hundred), score(...hundred), score(...hundred)]);
    expect(calls.map((rows) => rows.length)).toEqual([200, 100]);
  });

  it('gather while a call is under way, and are turned away when too many wait', async () => {
    const { calls, held, state, score } = rig();
    state.holds = true;
    const first = score(0);
    await expect.poll(() => calls.length, { timeout: 60_000 }).toBe(1);
    const others = Array.from({ length: 64 }, (_, n) => score(n));
    await expect(score(1)).rejects.toMatchObject({ code: 'busy' });
    state.holds = false;
    held.forEach((go) => {
      go();
    });
    await Promise.all([first, ...others]);
    expect(calls).toHaveLength(2);
  });

  it('are not scored when nobody waits for them any more', async () => {
    const { calls, held, state, scorer, score } = rig();
    state.holds = true;
    const first = score(0);
    await expect.poll(() => calls.length, { timeout: 60_000 }).toBe(1);
    const late = scorer.score(Float32Array.of(1), 1, 10);
    const patient = score(2);
    state.now = 11;
    state.holds = false;
    held.forEach((go) => {
      go();
    });
    await expect(late).rejects.toMatchObject({ code: 'timed_out' });
    await Promise.all([first, patient]);
    expect(calls.at(-1)).toEqual([2]);
  });
});
