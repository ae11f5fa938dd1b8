import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { loadWorkspace } from '../workspace/index.ts';
import { makeFeatureSet } from './features/index.ts';
import { memoryLog } from './log/index.ts';
import { streamMetrics } from './metrics.ts';
import { memoryState } from './state/index.ts';
import { warmUp } from './warm-up.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

describe('warming up', () => {
  it.each(['shop', 'travel'])('runs events of every type of %s, and leaves no trace', async (example) => {
    const workspace = await loadWorkspace(fileURLToPath(new URL(`../examples/${example}`, import.meta.url)));
    const registry = new Registry();
    const log = memoryLog({ partitions: 4, clock });
    const store = memoryState({ clock });
    const troubles: string[] = [];
    const logger = {
      debug: (_: object, message: string) => troubles.push(message),
      info: (_: object, message: string) => troubles.push(message),
      warn: (_: object, message: string) => troubles.push(message),
      error: (_: object, message: string) => troubles.push(message),
      child: () => logger,
    };
    const events = await warmUp(
      {
        workspace,
        features: makeFeatureSet(workspace),
        scorers: { get: () => undefined, close: async () => {} },
        clock,
        partitions: 4,
        log,
        store,
        metrics: streamMetrics(registry),
        logger,
        newId: () => crypto.randomUUID(),
      },
      300,
    );
    expect(events).toBeGreaterThanOrEqual(workspace.types.size);
    expect(troubles).toEqual([]);
    for (let partition = 0; partition < 4; partition++) {
      expect((await store.head(partition)).position).toBe(0);
      expect(await log.range(partition)).toEqual({ start: 0, end: 0 });
    }
    const counted = await registry.getSingleMetric('presage_stream_events_total')?.get();
    expect(counted?.values.filter(({ value }) => value > 0)).toEqual([]);
  });

  it('gives up quietly where it cannot go on', async () => {
    const workspace = await loadWorkspace(fileURLToPath(new URL('../examples/shop', import.meta.url)));
    const features = makeFeatureSet(workspace);
    const told: string[] = [];
    const logger = {
      debug: (_: object, message: string) => told.push(message),
      info() {},
      warn() {},
      error() {},
      child: () => logger,
    };
    const events = await warmUp(
      {
        workspace,
        features,
        scorers: { get: () => undefined, close: async () => {} },
        clock,
        partitions: 4,
        log: memoryLog({ partitions: 4, clock }),
        store: memoryState({ clock }),
        metrics: streamMetrics(new Registry()),
        logger,
        newId: () => {
          throw new Error('no ids');
        },
      },
      50,
      200,
    );
    expect(events).toBe(0);
    expect(told).toEqual(['The stream worker was not warmed up']);
  });
});
