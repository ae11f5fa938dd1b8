import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../tests/support/silence.ts';
import type { CompiledModel } from '../workspace/index.ts';
import { guarded } from './guard.ts';
import { scorerMetrics } from './metrics.ts';

const model = { id: 'm', inputs: ['a'] } as unknown as CompiledModel;

function rig(isInline = false) {
  const registry = new Registry();
  const state = { now: 0, hangs: false, tookMs: 0, calls: 0 };
  const scorer = guarded(
    {
      model,
      async score(rows) {
        state.calls += 1;
        if (state.hangs) return new Promise(() => {});
        state.now += state.tookMs;
        return rows;
      },
      close: async () => {},
    },
    {
      clock: { now: () => state.now, monotonic: () => state.now },
      logger: silentLogger(),
      metrics: scorerMetrics(registry),
      isInline,
    },
  );
  const value = async (name: string, labels: Record<string, string> = {}) =>
    (await registry.getSingleMetric(name)?.get())?.values.find((one) =>
      Object.entries(labels).every(([key, wanted]) => one.labels[key] === wanted),
    )?.value;
  const score = (withinMs?: number) => scorer.score(Float32Array.of(0.5), 1, withinMs);
  return { state, score, value };
}

describe('a guarded scorer', () => {
  it('gives up at its time, is not asked after five times, and again once it answers', async () => {
    const { state, score, value } = rig();
    state.hangs = true;
    for (let n = 0; n < 5; n++) await expect(score(1)).rejects.toMatchObject({ code: 'timed_out' });
    await expect(score(1)).rejects.toMatchObject({ code: 'breaker_open' });
    expect(state.calls).toBe(5);
    expect(await value('presage_scorer_breaker_state', { model: 'm' })).toBe(2);
    expect(await value('presage_scorer_failures_total', { reason: 'timed_out' })).toBe(5);
    expect(await value('presage_scorer_failures_total', { reason: 'breaker_open' })).toBe(1);
    state.hangs = false;
    state.now += 500;
    expect(await score(1)).toHaveLength(1);
    expect(await value('presage_scorer_breaker_state', { model: 'm' })).toBe(0);
  });

  it('is waited for, and asked on, where it runs in this process and is late with all of it', async () => {
    const { state, score } = rig(true);
    state.tookMs = 20;
    for (let n = 0; n < 10; n++) expect(await score(10)).toHaveLength(1);
  });
});
