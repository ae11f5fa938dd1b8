import fc from 'fast-check';
import { Registry } from 'prom-client';
import { beforeAll, describe, expect, it } from 'vitest';
import { PresageError, partitionOf } from '../core/index.ts';
import type { DecisionRecord, OutboxEntry, StoredEvent } from '../schemas/index.ts';
import { manualClock } from '../tests/support/clock.ts';
import { root, waitFor } from '../tests/support/program.ts';
import { silentLogger } from '../tests/support/silence.ts';
import { type CompiledWorkspace, loadWorkspace } from '../workspace/index.ts';
import { makeFeatureSet } from './features/index.ts';
import { type EventLog, memoryLog } from './log/index.ts';
import { streamMetrics } from './metrics.ts';
import { readOutboxEntry } from './outbox.ts';
import { memoryState, type StateStore } from './state/index.ts';
import { makeWorker } from './worker.ts';

const partitions = 2;
const start = Date.UTC(2026, 0, 1);
const scorers = { get: () => undefined, close: async () => {} };
let workspace: CompiledWorkspace;
beforeAll(async () => {
  workspace = await loadWorkspace(`${root}/tests/workspaces/small`);
});

interface Rig {
  readonly log: EventLog;
  readonly store: StateStore;
  readonly clock: ReturnType<typeof manualClock>;
  worker(store?: StateStore, log?: EventLog): ReturnType<typeof makeWorker>;
  /** Runs a worker until it has processed everything. */
  drain(store?: StateStore, log?: EventLog): Promise<void>;
  outbox(): Promise<OutboxEntry[]>;
}

function rig(): Rig {
  const clock = manualClock(start);
  const log = memoryLog({ partitions, clock });
  const store = memoryState({ clock });
  let ids = 0;
  const worker = (used: StateStore = store, read: EventLog = log) =>
    makeWorker({
      workspace,
      features: makeFeatureSet(workspace),
      scorers,
      clock,
      partitions,
      log: read,
      store: used,
      metrics: streamMetrics(new Registry()),
      logger: silentLogger(),
      backoffMs: { first: 1, most: 4 },
      newId: () => `c${ids++}-${Math.random()}`,
    });
  const isDone = async () => {
    for (let p = 0; p < partitions; p++)
      if ((await store.head(p)).position < (await log.range(p)).end) return false;
    return true;
  };
  return {
    log,
    store,
    clock,
    worker,
    drain: async (used, read) => {
      const role = worker(used, read);
      await role.start();
      await waitFor('the worker to have read everything', isDone);
      await role.stop();
    },
    outbox: async () => {
      const entries: OutboxEntry[] = [];
      for (let p = 0; p < partitions; p++) {
        const { start: from, end } = await store.outboxRange(p);
        if (end > from)
          entries.push(...(await store.readOutbox(p, from, end - from, 0)).map(readOutboxEntry));
      }
      return entries;
    },
  };
}

const event = (changes: Partial<StoredEvent>): StoredEvent => ({
  v: 1,
  id: 'e',
  tenant: 'acme',
  type: 'view',
  userId: 'ann',
  time: start,
  properties: { sku: 'x', price: 1.5 },
  source: 'http',
  ...changes,
});

function record(value: StoredEvent | string) {
  const key = typeof value === 'string' ? 'ann' : (value.userId ?? value.anonymousId ?? '');
  return {
    partition: partitionOf(key, partitions),
    key,
    value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  };
}

const decisionsIn = (entries: readonly OutboxEntry[]): DecisionRecord[] =>
  entries.flatMap((entry) => (entry.kind === 'decision' ? [entry.decision] : []));
/** Content of a decision: all but timings, wall clock and log coordinates. */
const contentOf = ({ timings: _timings, log: _log, ...content }: DecisionRecord) => content;

describe('the stream worker', () => {
  it('makes a decision for each of two subjects whose events have one id, which the senders choose', async () => {
    const { log, drain, outbox } = rig();
    await log.append(['ann', 'ben'].map((userId) => record(event({ userId }))));
    await drain();
    const decisions = decisionsIn(await outbox());
    expect(decisions.map(({ subject }) => subject).sort()).toEqual(['u:ann', 'u:ben']);
    expect(new Set(decisions.map(({ id }) => id)).size).toBe(2);
  });

  it('reads a record that begins with a byte order mark', async () => {
    const { log, drain, outbox } = rig();
    await log.append([record(`\ufeff${JSON.stringify(event({}))}`)]);
    await drain();
    const entries = await outbox();
    expect(entries.filter(({ kind }) => kind === 'dead')).toEqual([]);
    expect(decisionsIn(entries).map(({ subject }) => subject)).toEqual(['u:ann']);
  });

  it('turns events into features, decisions and caps in one commit', async () => {
    const { log, drain, outbox } = rig();
    await log.append([1, 2, 3].map((n) => record(event({ id: `e${n}`, time: start - 10_000 + n }))));
    await drain();
    const decisions = decisionsIn(await outbox());
    expect(decisions.map((decision) => decision.action)).toEqual(['second', 'first', 'second']);
    expect(decisions[1]?.features).toEqual({ views: 2, spent: 3 });
    // The third: `first` has had its one time in this session.
    expect(decisions[2]?.candidates[0]).toMatchObject({
      action: 'first',
      verdict: { stage: 'constraints', saw: { used: 1, limit: 1 } },
    });
  });

  it('puts what it cannot use into the dead letters with bytes, reason and coordinates, and goes on', async () => {
    const { log, drain, outbox } = rig();
    await log.append([
      record('{"broken'),
      record('{"v":1}'),
      record(event({ tenant: 'nobody' })),
      record(event({ id: 'typed', properties: { price: 'dear' } })),
      record(event({ id: 'old', time: 0 })),
      { ...record(event({ id: 'lost' })), partition: 1 - record(event({})).partition },
      record(event({ id: 'good', time: start - 1 })),
    ]);
    await drain();
    const entries = await outbox();
    const letters = entries.flatMap((entry) => (entry.kind === 'dead' ? [entry.dead] : []));
    expect(letters.map((letter) => letter.code).sort()).toEqual([
      'not_an_event',
      'not_json',
      'time_out_of_range',
      'unknown_tenant',
      'wrong_partition',
      'wrong_type',
    ]);
    expect(
      Buffer.from(letters.find((letter) => letter.code === 'not_json')?.bytes ?? '', 'base64').toString(),
    ).toBe('{"broken');
    expect(decisionsIn(entries)).toHaveLength(1);
  });

  it('lists repeats, late events and clamped times; a late one counts but starts nothing', async () => {
    const { log, drain, outbox } = rig();
    const hour = 3_600_000;
    await log.append([
      record(event({ id: 'now', time: start })),
      record(event({ id: 'now', time: start })),
      record(event({ id: 'late', time: start - 2 * hour })),
      record(event({ id: 'future', time: start + hour })),
    ]);
    await drain();
    const entries = await outbox();
    const reports = entries.flatMap((entry) => (entry.kind === 'batch' ? [entry.batch] : []));
    expect(reports.flatMap((report) => report.duplicates)).toEqual([1]);
    expect(reports.flatMap((report) => report.late)).toEqual([[2, 2 * hour]]);
    expect(reports.flatMap((report) => report.clamped)).toEqual([3]);
    expect(decisionsIn(entries).map((decision) => decision.startedBy)).toMatchObject([
      { event: 'now' },
      { event: 'future' },
    ]);
    expect(decisionsIn(entries)[1]?.features).toMatchObject({ spent: 4.5 });
  });

  it('decides but takes no caps between stop and resume, for that tenant only', async () => {
    const { log, drain, outbox } = rig();
    const control = (id: string, what: string) => ({
      ...record(event({ id, type: '$control', properties: { control: what, by: 'test' } })),
    });
    await log.append([
      record(event({ id: 'a', time: start - 3 })),
      control('stop', 'stop'),
      record(event({ id: 'b', time: start - 2 })),
      record(event({ id: 'other', tenant: 'bolt', time: start - 2 })),
      control('resume', 'resume'),
      record(event({ id: 'c', time: start - 1 })),
    ]);
    await drain();
    expect(
      decisionsIn(await outbox()).map((decision) => [decision.tenant, decision.mode, decision.action]),
    ).toEqual([
      ['acme', 'act', 'second'],
      ['acme', 'stopped', 'first'],
      ['bolt', 'act', 'second'],
      ['acme', 'act', 'first'],
    ]);
  });

  const story = fc.array(
    fc.record({
      user: fc.constantFrom('ann', 'bob', 'eve'),
      id: fc.integer({ min: 0, max: 25 }),
      ago: fc.integer({ min: 0, max: 7_200_000 }),
      price: fc.integer({ min: 0, max: 1_000 }),
    }),
    { minLength: 1, maxLength: 40 },
  );
  const eventsOf = (told: { user: string; id: number; ago: number; price: number }[]) =>
    told.map(({ user, id, ago, price }) =>
      record(
        event({ id: `${user}-${id}`, userId: user, time: start - ago, properties: { price: price / 100 } }),
      ),
    );

  it('gives the same decisions and states wherever batches begin and end', async () => {
    await fc.assert(
      fc.asyncProperty(
        story,
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 40, maxLength: 40 }),
        async (told, sizes) => {
          const whole = rig();
          await whole.log.append(eventsOf(told));
          await whole.drain();

          const cut = rig();
          const role = cut.worker();
          await role.start();
          const records = eventsOf(told);
          for (let from = 0, i = 0; from < records.length; from += sizes[i++] ?? 1)
            await cut.log.append(records.slice(from, from + (sizes[i] ?? 1)));
          await waitFor('everything processed', async () => {
            for (let p = 0; p < partitions; p++)
              if ((await cut.store.head(p)).position < (await cut.log.range(p)).end) return false;
            return true;
          });
          await role.stop();
          expect(decisionsIn(await cut.outbox()).map(contentOf)).toEqual(
            decisionsIn(await whole.outbox()).map(contentOf),
          );
          expect(await statesOf(cut)).toEqual(await statesOf(whole));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('comes to the same end when commits fail, vanish or are answered too late', async () => {
    await fc.assert(
      fc.asyncProperty(
        story,
        fc.array(fc.constantFrom('ok', 'lost_before', 'lost_after'), { minLength: 1, maxLength: 12 }),
        async (told, fates) => {
          const calm = rig();
          await calm.log.append(eventsOf(told));
          await calm.drain();

          const rough = rig();
          await rough.log.append(eventsOf(told));
          const left = [...fates];
          const unsteady: StateStore = {
            ...rough.store,
            commit: async (partition, commit) => {
              const fate = left.shift() ?? 'ok';
              const gone = new PresageError('state_unavailable', 'Redis went away.', { retriable: true });
              if (fate === 'lost_before') throw gone;
              const outcome = await rough.store.commit(partition, commit);
              if (fate === 'lost_after') throw gone;
              return outcome;
            },
          };
          await rough.drain(unsteady);
          expect(decisionsIn(await rough.outbox()).map(contentOf)).toEqual(
            decisionsIn(await calm.outbox()).map(contentOf),
          );
          expect(await statesOf(rough)).toEqual(await statesOf(calm));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('subscribes again where one partition fails while another cannot be assigned', async () => {
    const { log, store, drain } = rig();
    await log.append([record(event({}))]);
    let subscriptions = 0;
    const failing: EventLog = {
      ...log,
      async subscribe(options) {
        subscriptions += 1;
        if (subscriptions > 1) return log.subscribe(options);
        options.onAssigned({
          partition: 0,
          next: async () => {
            throw new Error('nothing can be read');
          },
        });
        // Long enough for the partition to ask to begin again, which it can't before there is a subscription.
        await new Promise((resolve) => setTimeout(resolve, 50));
        throw new Error('no position of the next partition');
      },
    };
    await drain(store, failing);
    expect(subscriptions).toBe(2);
  });

  it('commits more at once the further it is behind, and then several commits on their way', async () => {
    const { log, store, worker } = rig();
    const sizes: number[] = [];
    let committed = 0;
    let inFlight = 0;
    let held = Promise.resolve();
    let release = (): void => {};
    const hold = (): void => {
      held = new Promise((resolve) => {
        release = resolve;
      });
    };
    const watched: StateStore = {
      ...store,
      async commit(partition, commit) {
        sizes.push(commit.position - committed);
        committed = commit.position;
        inFlight += 1;
        await held;
        inFlight -= 1;
        return store.commit(partition, commit);
      },
    };
    let sent = 0;
    const send = (count: number) =>
      log.append(Array.from({ length: count }, () => record(event({ id: `e${sent++}` }))));
    const { partition } = record(event({}));
    /** What was committed at once of what is sent while no commit is answered. */
    const sizesOf = async (send: () => Promise<unknown>, until: () => boolean): Promise<number[]> => {
      sizes.length = 0;
      hold();
      await send();
      await waitFor('commits to be on their way', until);
      release();
      await waitFor('all to be committed', async () => (await store.head(partition)).position === sent);
      return [...sizes];
    };
    const role = worker(watched);
    await role.start();
    for (let i = 0; i < 3; i++)
      expect(
        await sizesOf(
          () => send(1),
          () => inFlight === 1,
        ),
      ).toEqual([1]);
    const few = await sizesOf(
      async () => {
        await send(1);
        await waitFor('the first to be on its way', () => inFlight === 1);
        for (let i = 0; i < 200; i++) await send(1);
      },
      () => inFlight === 1,
    );
    // While one is on its way another is made ready; all that comes after shares the third.
    expect(few.length).toBeLessThanOrEqual(3);
    const many = await sizesOf(
      () => send(10_000),
      () => inFlight === 4,
    );
    expect(Math.max(...many)).toBeGreaterThan(2 * Math.max(...few));
    await role.stop();
  });

  it('two workers on one partition: no event counts twice, none is lost', async () => {
    const { log, store, worker, outbox } = rig();
    const [one, two] = [worker(), worker()];
    await one.start();
    await two.start();
    for (let n = 0; n < 60; n++) await log.append([record(event({ id: `e${n}`, time: start - 1_000 + n }))]);
    await waitFor(
      'everything processed',
      async () => (await store.head(record(event({})).partition)).position === 60,
    );
    await one.stop();
    await two.stop();
    const decisions = decisionsIn(await outbox());
    expect(decisions).toHaveLength(60);
    expect(decisions.at(-1)?.features).toMatchObject({ views: 60 });
  });
});

async function statesOf({ store }: Rig): Promise<(string | null)[]> {
  const features = makeFeatureSet(workspace);
  const states: (string | null)[] = [];
  for (const user of ['ann', 'bob', 'eve']) {
    const [blob] = await store.load(partitionOf(user, partitions), [`acme:u:${user}`]);
    states.push(blob ? JSON.stringify(features.read(features.decode(blob), start)) : null);
  }
  return states;
}
