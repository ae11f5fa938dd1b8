import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../schemas/index.ts';
import { manualClock } from '../tests/support/clock.ts';
import { root, waitFor } from '../tests/support/program.ts';
import { silentLogger } from '../tests/support/silence.ts';
import { loadWorkspace } from '../workspace/index.ts';
import { makeFeatureSet, type SubjectState } from './features/index.ts';
import { memoryLog } from './log/index.ts';
import { streamMetrics } from './metrics.ts';
import { makeProgress, measureProgress } from './progress.ts';
import { memoryState } from './state/index.ts';
import { SubjectCache } from './subjects.ts';
import { makeWorker } from './worker.ts';

const start = Date.UTC(2026, 0, 1);
const workspace = await loadWorkspace(`${root}/tests/workspaces/small`);
const record = (id: string, time: number, more: Partial<StoredEvent> = {}) => {
  const event = {
    v: 1,
    id,
    tenant: 'acme',
    type: 'view',
    userId: 'ann',
    time,
    properties: {},
    source: 'http',
  };
  return { partition: 0, key: 'ann', value: Buffer.from(JSON.stringify({ ...event, ...more })) };
};

describe('what the stream worker measures', () => {
  it('is lag, watermark delay, freshness, late, clamped and dead events, state and cache', async () => {
    const registry = new Registry();
    const clock = manualClock(start);
    const log = memoryLog({ partitions: 1, clock });
    const store = memoryState({ clock });
    const worker = makeWorker({
      workspace,
      features: makeFeatureSet(workspace),
      scorers: { get: () => undefined, close: async () => {} },
      clock,
      partitions: 1,
      log,
      store,
      metrics: streamMetrics(registry),
      logger: silentLogger(),
      newId: () => `c${Math.random()}`,
    });
    const hour = 3_600_000;
    await log.append([
      record('a', start - 30_000),
      record('late', start - 30_000 - 2 * hour),
      record('ahead', start + hour),
      record('b', start - 10_000),
      { partition: 0, key: 'ann', value: Buffer.from('{') },
    ]);
    await worker.start();
    await waitFor('the batch to be committed', async () => (await store.head(0)).position === 5);
    const value = async (name: string): Promise<number | undefined> =>
      (await registry.getSingleMetric(name)?.get())?.values[0]?.value;
    await waitFor('lag to be measured', async () => (await value('presage_stream_lag_events')) === 0);
    expect(await value('presage_stream_lag_seconds')).toBe(0);
    await waitFor('the watermark', async () => (await value('presage_stream_watermark_delay_seconds')) === 0);
    expect(await value('presage_stream_late_events_total')).toBe(1);
    expect(await value('presage_stream_clamped_events_total')).toBe(1);
    expect(await value('presage_stream_dead_letters_total')).toBe(1);
    const text = await registry.metrics();
    expect(text).toContain('presage_stream_dead_letters_total{code="not_json"} 1');
    expect(text).toContain('presage_stream_freshness_seconds_sum{event="newest"} 10\n');
    // The late one and the one ahead of its time say nothing of how long events take.
    expect(text).toContain('presage_stream_freshness_seconds_sum{event="oldest"} 30\n');
    expect(text).toContain('presage_stream_state_bytes_count 1\n');
    expect(text).toMatch(/presage_stream_cached_state_bytes\{partition="0"\} [1-9]/);
    expect(text).toContain('presage_stream_cache_misses_total 1\n');
    await worker.stop();
    expect(await registry.metrics()).not.toContain('presage_stream_lag_events{');
  });

  it('counts as lag what is appended and not committed, from the commit or the last quiet moment on', async () => {
    const registry = new Registry();
    const metrics = streamMetrics(registry);
    const clock = manualClock(start);
    const log = memoryLog({ partitions: 1, clock });
    await log.append([record('a', start), record('b', start), record('c', start)]);
    const progress = makeProgress(1);
    const runs = new Map([[0, progress]]);
    const lag = async () => {
      await measureProgress(runs, log, clock, metrics);
      const text = await registry.metrics();
      return ['events', 'seconds'].map((unit) =>
        Number(new RegExp(`^presage_stream_lag_${unit}\\{partition="0"\\} (.*)$`, 'm').exec(text)?.[1]),
      );
    };
    progress.appendedAt = start - 7_000;
    expect(await lag()).toEqual([2, 7]);
    progress.caughtUpAt = start - 1_000;
    expect(await lag()).toEqual([2, 1]);
    progress.position = 3;
    expect(await lag()).toEqual([0, 0]);
  });
});

describe('the cache of subjects', () => {
  it('is bounded by number and by bytes, and never gives up what was taken last', async () => {
    const store = memoryState({ clock: manualClock(start) });
    const features = makeFeatureSet(workspace);
    const cache = new SubjectCache({ store, features, partition: 0, limits: { subjects: 3, bytes: 1_000 } });
    const take = (...keys: string[]): Promise<Map<string, SubjectState>> => cache.take(keys);
    await take('a', 'b', 'c');
    cache.evict();
    expect(cache.size).toBe(3);
    await take('d', 'b');
    cache.evict();
    expect([cache.size, cache.misses]).toEqual([3, 4]);
    cache.resized('d', 700);
    cache.resized('b', 700);
    cache.evict();
    expect([cache.size, cache.bytes]).toEqual([2, 1_400]);
    await take('b');
    cache.evict();
    expect([cache.size, cache.bytes]).toEqual([1, 700]);
  });
});
