import fc from 'fast-check';
import { Registry } from 'prom-client';
import { beforeAll, describe, expect, it } from 'vitest';
import { partitionOf } from '../../core/index.ts';
import type { StoredEvent } from '../../schemas/index.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { root, waitFor } from '../../tests/support/program.ts';
import { silentLogger } from '../../tests/support/silence.ts';
import { type CompiledWorkspace, loadWorkspace } from '../../workspace/index.ts';
import { makeFeatureSet } from '../features/index.ts';
import { memoryLog, type NewRecord } from '../log/index.ts';
import { streamMetrics } from '../metrics.ts';
import { memoryState, type StateStore } from '../state/index.ts';
import { makeWorker } from '../worker.ts';
import type { Engine } from '../worker-parts.ts';
import { makeHandover } from './handover.ts';
import { makeShadowProgress, runShadow } from './shadow.ts';

const partitions = 1;
const start = Date.UTC(2026, 0, 1);
const users = ['ann', 'ben', 'cid'].filter((user) => partitionOf(user, partitions) === 0);
let after: CompiledWorkspace;
beforeAll(async () => {
  after = await loadWorkspace(`${root}/tests/workspaces/small`);
});

const engineOf = (workspace: CompiledWorkspace): Engine => ({
  workspace,
  features: makeFeatureSet(workspace),
  scorers: { get: () => undefined, close: async () => {} },
});

function record(id: string, user: string, minutes: number, price: number): NewRecord {
  const event: StoredEvent = {
    v: 1,
    id,
    tenant: 'acme',
    type: 'view',
    userId: user,
    time: start + minutes * 60_000,
    properties: { sku: `s${price}`, price },
    source: 'http',
  };
  return { partition: 0, key: user, value: Buffer.from(JSON.stringify(event)) };
}

function activation(): NewRecord {
  const event: StoredEvent = {
    v: 1,
    id: 'activate',
    tenant: 'acme',
    type: '$control',
    anonymousId: 'engine',
    time: start,
    properties: { control: 'activate', by: 'test', generation: 1, workspace: after.hash },
    source: 'engine',
  };
  return { partition: 0, key: 'engine', value: Buffer.from(JSON.stringify(event)) };
}

const story = fc.record({
  events: fc.array(
    fc.record({
      id: fc.integer({ min: 0, max: 60 }),
      user: fc.constantFrom(...users),
      minutes: fc.integer({ min: 0, max: 300 }),
      price: fc.integer({ min: 1, max: 9 }),
    }),
    { minLength: 1, maxLength: 60 },
  ),
  served: fc.double({ min: 0, max: 1, noNaN: true }),
  activated: fc.double({ min: 0, max: 1, noNaN: true }),
  diesBefore: fc.boolean(),
  crashes: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 3 }),
});

/** What a store serves of everyone, by the full workspace. */
async function served(store: StateStore): Promise<unknown> {
  const features = makeFeatureSet(after);
  const blobs = await store.load(
    0,
    users.map((user) => `acme:u:${user}`),
  );
  return blobs.map((blob) => {
    if (blob === null) return null;
    const state = features.decode(blob);
    return features.read(state, state.newest);
  });
}

describe('a generation built beside the one in force', () => {
  it('is what a clean pass would have made, wherever it comes into force and whatever crashes', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ({ events, served: share, activated, diesBefore, crashes }) => {
        const clock = manualClock(start + 86_400_000);
        const records = events.map(({ id, user, minutes, price }) => record(`e${id}`, user, minutes, price));
        const log = memoryLog({ partitions, clock });
        const store = memoryState({ clock });
        const before = { ...after, features: after.features.slice(1), hash: 'before' };
        const old = engineOf(before);
        const next = engineOf(after);
        old.features.learnLayout(next.features.layoutDescription);
        const handover = makeHandover();
        const worker = makeWorker({
          ...old,
          engines: {
            of: (generation) => (generation === 0 ? old : next),
            isReady: async (partition, generation, position, watermarks) => {
              const waiting = { generation, position, watermarks };
              handover.wait(partition, waiting);
              await waitFor('the shadow', () => handover.isSettled(partition, waiting));
              return true;
            },
          },
          clock,
          partitions,
          log,
          store,
          metrics: streamMetrics(new Registry()),
          logger: silentLogger(),
          backoffMs: { first: 1, most: 20 },
          newId: () => `c${Math.random()}`,
        });
        const first = Math.floor(share * records.length);
        const from = first + Math.floor(activated * (records.length - first));
        if (first > 0) await log.append(records.slice(0, first));
        await worker.start();
        const progress = makeShadowProgress();
        const shadow = (signal: AbortSignal) =>
          runShadow(
            {
              ...next,
              clock,
              partitions,
              log,
              store: dyingAfter(store, crashes, diesBefore),
              history: null,
              reported: () => null,
              generation: 1,
              logger: silentLogger(),
              newId: () => `s${Math.random()}`,
              handover,
              pace: { records: () => 500, step: async (_, work) => void (await work()) },
              pause: async () => new Promise((wake) => setImmediate(wake)),
            },
            0,
            progress,
            signal,
          );
        const stopping = new AbortController();
        const building = shadow(stopping.signal);
        if (from > first) await log.append(records.slice(first, from));
        await log.append([activation()]);
        if (from < records.length) await log.append(records.slice(from));
        try {
          await waitFor('the end of the log', async () => {
            const head = await store.head(0);
            return head.generation === 1 && head.position === records.length + 1;
          });
          await building;
        } finally {
          stopping.abort();
          await worker.stop();
        }
        const clean = memoryState({ clock });
        const cleanLog = memoryLog({ partitions, clock });
        await cleanLog.append(records);
        const one = makeWorker({
          ...engineOf(after),
          clock,
          partitions,
          log: cleanLog,
          store: clean,
          metrics: streamMetrics(new Registry()),
          logger: silentLogger(),
          newId: () => `c${Math.random()}`,
        });
        await one.start();
        await waitFor('the clean pass', async () => (await clean.head(0)).position === records.length);
        await one.stop();
        expect(await served(store)).toEqual(await served(clean));
      }),
      { numRuns: Number(process.env.PRESAGE_PROPERTY_RUNS ?? 25) },
    );
  });
});

/** Some of the shadow's commits are made, but the answer does not come; others are not made. */
function dyingAfter(store: StateStore, crashes: readonly number[], diesBefore: boolean): StateStore {
  let commits = 0;
  return {
    ...store,
    shadow: (generation) => {
      const own = store.shadow(generation);
      return {
        ...own,
        commit: async (partition, commit) => {
          const isCrash = crashes.includes(commits++);
          if (isCrash && diesBefore) throw new Error('died before the commit');
          const outcome = await own.commit(partition, commit);
          if (isCrash) throw new Error('died after the commit');
          return outcome;
        },
      };
    },
  };
}
