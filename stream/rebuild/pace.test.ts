import { describe, expect, it } from 'vitest';
import { makePace, paceRecords } from './pace.ts';

/** Time that passes only where someone works or pauses; what was done in it, in order. */
function rig(lateMs = 0) {
  let now = 0;
  const done: { readonly what: string; readonly from: number; readonly to: number }[] = [];
  const pass = (what: string, ms: number): void => {
    done.push({ what, from: now, to: now + ms });
    now += ms;
  };
  const pace = makePace({
    clock: { now: () => now, monotonic: () => now },
    pause: async (ms) => pass('idle', ms + lateMs),
  });
  const signal = new AbortController().signal;
  /** A step of work that takes so long for each record, and then waits for the store. */
  const step = (what: string, msPerRecord: number, storeMs = 0) => {
    const records = pace.records();
    return pace.step(signal, async () => {
      await Promise.resolve();
      pass(what, records * msPerRecord + storeMs);
      return { records, busyMs: records * msPerRecord };
    });
  };
  return { pace, done, step };
}

describe('the pace of building', () => {
  it('lets one work at a time, and all be idle as long as it took', async () => {
    const { done, step } = rig();
    await Promise.all(['a', 'b', 'c'].map((who) => step(who, 0.1)));
    expect(done.map(({ what }) => what)).toEqual(['a', 'idle', 'b', 'idle', 'c', 'idle']);
    const lengths = done.map(({ from, to }) => to - from);
    for (let index = 0; index < lengths.length; index += 2)
      expect(lengths[index + 1]).toBeCloseTo(lengths[index] ?? 0);
  });

  it.each([0.001, 0.02, 0.05, 0.3])('takes steps of about 4 ms where a record takes %d ms', async (ms) => {
    const { pace, done, step } = rig();
    for (let steps = 0; steps < 40; steps++) await step('work', ms, 2);
    const most = Math.min(paceRecords.most, Math.max(paceRecords.least, 4 / ms));
    expect(pace.records()).toBeGreaterThanOrEqual(Math.floor(most * 0.9));
    expect(pace.records()).toBeLessThanOrEqual(Math.ceil(most * 1.1));
    expect(done.length).toBe(80);
  });

  it('gives way where it is woken late, since others wait for the processor then too', async () => {
    const { done, step } = rig(20);
    await step('work', 0.1);
    expect(done.map(({ what, from, to }) => [what, Math.round(to - from)])).toEqual([
      ['work', paceRecords.first * 0.1],
      ['idle', paceRecords.first * 0.1 + 20],
      ['idle', 4 * 20 + 20],
    ]);
  });

  it('goes on after a step that failed', async () => {
    const { pace, step, done } = rig();
    const failing = pace.step(new AbortController().signal, async () => {
      throw new Error('the store did not answer');
    });
    const next = step('next', 0.1);
    await expect(failing).rejects.toThrow('did not answer');
    await next;
    expect(done.map(({ what }) => what)).toEqual(['idle', 'next', 'idle']);
  });

  it('does nothing for who was stopped while waiting', async () => {
    const { pace, step, done } = rig();
    const stopping = new AbortController();
    const first = step('first', 0.1);
    const second = pace.step(stopping.signal, async () => {
      throw new Error('it was stopped');
    });
    stopping.abort();
    await Promise.all([first, second]);
    expect(done.map(({ what }) => what)).toEqual(['first', 'idle']);
  });
});
