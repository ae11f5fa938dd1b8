import { Registry } from 'prom-client';
import { beforeAll, describe, expect, it } from 'vitest';
import { PresageError, partitionOf } from '../core/index.ts';
import type { StoredEvent } from '../schemas/index.ts';
import { manualClock } from '../tests/support/clock.ts';
import { root, waitFor } from '../tests/support/program.ts';
import { silentLogger } from '../tests/support/silence.ts';
import { type CompiledWorkspace, loadWorkspace } from '../workspace/index.ts';
import { makeFeatureSet } from './features/index.ts';
import { type EventLog, memoryLog, type SubscribeOptions } from './log/index.ts';
import { streamMetrics } from './metrics.ts';
import { memoryState, type StateStore } from './state/index.ts';
import { makeWorker } from './worker.ts';

const partitions = 2;
const start = Date.UTC(2026, 0, 1);
let workspace: CompiledWorkspace;
beforeAll(async () => {
  workspace = await loadWorkspace(`${root}/tests/workspaces/small`);
});

function rig(
  change: (log: EventLog, store: StateStore) => { log?: EventLog; store?: StateStore } = () => ({}),
) {
  const clock = manualClock(start);
  const log = memoryLog({ partitions, clock });
  const store = memoryState({ clock });
  const metrics = streamMetrics(new Registry());
  const worker = makeWorker({
    workspace,
    features: makeFeatureSet(workspace),
    scorers: { get: () => undefined, close: async () => {} },
    clock,
    partitions,
    log,
    store,
    metrics,
    logger: silentLogger(),
    backoffMs: { first: 1, most: 20 },
    newId: () => `c${Math.random()}`,
    ...change(log, store),
  });
  return { log, store, metrics, worker };
}

/** A user of each partition. */
const users = [0, 1].map((partition) => {
  for (let n = 0; ; n++) if (partitionOf(`user${n}`, partitions) === partition) return `user${n}`;
});

function record(partition: number, id: string) {
  const userId = users[partition]!;
  const event: StoredEvent = {
    v: 1,
    id,
    tenant: 'acme',
    type: 'view',
    userId,
    time: start,
    properties: { sku: 'x', price: 1 },
    source: 'http',
  };
  return { partition, key: userId, value: Buffer.from(JSON.stringify(event)) };
}

const reached = (store: StateStore, partition: number, position: number) => () =>
  store.head(partition).then((head) => head.position === position);

describe('the partitions of a worker', () => {
  it('stand still by themselves where the stored position is outside the log, with the command to run', async () => {
    const { log, store, metrics, worker } = rig();
    for (let n = 0; n < 5; n++) await log.append([record(0, `a${n}`), record(1, `b${n}`)]);
    await log.trim(0, 3);
    await worker.start();
    await waitFor('the other partition', reached(store, 1, 5));
    await waitFor('the alarm', () => worker.health().state === 'degraded');
    expect(worker.health()).toMatchObject({
      why: expect.stringMatching(/partition 0.*from 0.*presage rebuild/),
    });
    expect(worker.health()).not.toMatchObject({ why: expect.stringContaining('partition 1:') });
    expect((await metrics.lostPositions.get()).values).toContainEqual({
      labels: { partition: '0' },
      value: 1,
    });

    await log.append([record(1, 'more')]);
    await waitFor('the other partition, still', reached(store, 1, 6));
    expect((await store.head(0)).position).toBe(0);

    // What a rebuild leaves behind.
    const { commitId } = await store.head(0);
    await store.commit(0, {
      previous: commitId,
      id: 'rebuilt',
      position: 3,
      blobs: [],
      partitionState: null,
      outbox: [],
    });
    await waitFor('the rebuilt partition', reached(store, 0, 5));
    await waitFor('health', () => worker.health().state === 'ok');
    expect((await metrics.lostPositions.get()).values).toContainEqual({
      labels: { partition: '0' },
      value: 0,
    });
    await worker.stop();
  });

  it('begin again by themselves: the failure of one asks nothing of the others anew', async () => {
    const begun: number[] = [];
    let fails = 3;
    const { log, store, worker } = rig((_log, real) => ({
      store: {
        ...real,
        partitionState: (partition) => {
          begun.push(partition);
          return real.partitionState(partition);
        },
        commit: (partition, commit) => {
          if (partition === 0 && fails-- > 0)
            return Promise.reject(new PresageError('state_unavailable', 'Gone.', { retriable: true }));
          return real.commit(partition, commit);
        },
      },
    }));
    await log.append([record(0, 'a'), record(1, 'b')]);
    await worker.start();
    await waitFor('both', async () => (await reached(store, 0, 1)()) && (await reached(store, 1, 1)()));
    await worker.stop();
    expect(begun.filter((partition) => partition === 1)).toHaveLength(1);
    expect(begun.filter((partition) => partition === 0)).toHaveLength(4);
  });

  it('end when they are revoked, without being waited for, and commit nothing afterwards', async () => {
    let subscribed: SubscribeOptions | undefined;
    let holdUp = false;
    const release: (() => void)[] = [];
    const { log, store, worker } = rig((real, realStore) => ({
      log: {
        ...real,
        subscribe: (options) => {
          subscribed = options;
          return real.subscribe(options);
        },
      },
      store: {
        ...realStore,
        commit: async (partition, commit) => {
          if (holdUp && partition === 0) await new Promise<void>((resolve) => release.push(resolve));
          return realStore.commit(partition, commit);
        },
      },
    }));
    await worker.start();
    await log.append([record(0, 'a')]);
    await waitFor('the first', reached(store, 0, 1));
    holdUp = true;
    await log.append([record(0, 'b')]);
    await waitFor('a commit that takes long', () => release.length === 1);
    // Another worker takes over while that commit is still on its way, and commits first.
    subscribed!.onRevoked(0);
    const { commitId } = await store.head(0);
    await store.commit(0, {
      previous: commitId,
      id: 'other',
      position: 2,
      blobs: [],
      partitionState: null,
      outbox: [],
    });
    holdUp = false;
    release.forEach((go) => {
      go();
    });
    await log.append([record(0, 'c'), record(1, 'd')]);
    await waitFor('the partition that stayed', reached(store, 1, 1));
    expect(await store.head(0)).toMatchObject({ position: 2, commitId: 'other' });
    expect(worker.health()).toEqual({ state: 'ok' });
    await worker.stop();
  });
});
