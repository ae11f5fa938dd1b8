import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '../../core/index.ts';
import type { DecisionRecord, StoredEvent } from '../../schemas/index.ts';
import { realClock } from '../../tests/support/gateway.ts';
import { root, waitFor } from '../../tests/support/program.ts';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { silentLogger } from '../../tests/support/silence.ts';
import { type CompiledWorkspace, loadWorkspace } from '../../workspace/index.ts';
import { makeFeatureSet } from '../features/index.ts';
import { type EventLog, memoryLog, redisStreamsLog } from '../log/index.ts';
import { streamMetrics } from '../metrics.ts';
import { readOutboxEntry } from '../outbox.ts';
import { redisConnector } from '../redis/index.ts';
import { memoryState, redisState, type StateStore } from '../state/index.ts';
import { makeWorker } from '../worker.ts';

const second = 1_000;
const year = 365 * 86_400 * second;
const partitions = 2;
const scorers = { get: () => undefined, close: async () => {} };
let workspace: CompiledWorkspace;
let server: TestRedis;
let versions = 0;
beforeAll(async () => {
  workspace = await loadWorkspace(`${root}/tests/workspaces/timers`);
  server = await startTestRedis();
});
afterAll(() => server.stop());

interface Rig {
  readonly log: EventLog;
  readonly store: StateStore;
  readonly started: () => Promise<() => Promise<void>>;
  readonly decisions: () => Promise<DecisionRecord[]>;
  readonly ticks: () => Promise<StoredEvent[]>;
  readonly send: (...events: readonly Sent[]) => Promise<void>;
  readonly settled: () => Promise<unknown>;
  /** How often a worker has looked at a quiet partition 0, for ticks as well. */
  readonly rounds: () => number;
  readonly close: () => Promise<void>;
}
interface Sent {
  readonly user: string;
  readonly type: string;
  readonly time: number;
  readonly properties?: Record<string, unknown>;
}

async function rig(kind: 'memory' | 'Redis', clock: Clock = realClock): Promise<Rig> {
  const connector = kind === 'Redis' ? redisConnector(server.url) : null;
  const version = ++versions;
  const log = connector
    ? await redisStreamsLog({ connector, version, partitions, clock })
    : memoryLog({ partitions, clock });
  const store = connector ? redisState({ connector, version, clock }) : memoryState({ clock });
  let made = 0;
  let rounds = 0;
  const watched: StateStore = {
    ...store,
    head(partition) {
      if (partition === 0) rounds += 1;
      return store.head(partition);
    },
  };
  const eventsOf = async (): Promise<StoredEvent[]> => {
    const seen: StoredEvent[] = [];
    const { start, end } = await log.range(0);
    const subscription = await log.subscribe({
      group: `look-${made++}`,
      partitions: [0],
      startAt: async () => start,
      onAssigned: async (reader) => {
        while (start + seen.length < end) {
          for (const { value } of await reader.next(1_000, 100))
            seen.push(JSON.parse(Buffer.from(value).toString()) as StoredEvent);
        }
      },
      onRevoked: () => {},
    });
    await waitFor('all of the log to be read', async () => start + seen.length >= end);
    await subscription.stop();
    return seen;
  };
  return {
    log,
    store,
    started: async () => {
      const role = makeWorker({
        workspace,
        features: makeFeatureSet(workspace),
        scorers,
        clock,
        partitions,
        log,
        store: watched,
        metrics: streamMetrics(new Registry()),
        logger: silentLogger(),
        newId: () => `c${version}-${made++}-${Math.random()}`,
      });
      await role.start();
      return () => role.stop();
    },
    decisions: async () => {
      const { end } = await store.outboxRange(0);
      return (await store.readOutbox(0, 0, end + 1, 0))
        .map(readOutboxEntry)
        .flatMap((entry) => (entry.kind === 'decision' ? [entry.decision] : []));
    },
    ticks: async () => (await eventsOf()).filter(({ type }) => type === '$tick'),
    send: async (...events) => {
      await log.append(
        events.map(({ user, type, time, properties }) => {
          const event: StoredEvent = {
            v: 1,
            id: `e${made++}`,
            tenant: 'acme',
            type,
            userId: user,
            time,
            properties: properties ?? {},
            source: 'http',
          };
          return { partition: 0, key: user, value: Buffer.from(JSON.stringify(event)) };
        }),
      );
    },
    settled: () =>
      waitFor(
        'the worker to have read everything',
        async () => (await store.head(0)).position >= (await log.range(0)).end,
      ),
    rounds: () => rounds,
    close: async () => {
      await store.close();
      await log.close();
    },
  };
}

const firedBy = (decisions: readonly DecisionRecord[], trigger: string) =>
  decisions
    .filter(({ startedBy }) => startedBy.kind === 'timer' && startedBy.trigger === trigger)
    .map(({ subject, time }) => [subject, time] as const);

describe.each(['memory', 'Redis'] as const)('a live worker on %s, where no events come', (kind) => {
  it.each([
    ['a history that was fed', year],
    ['today', 0],
  ])('appends a tick and fires what has come due, at the pace of the clock, in %s', async (_, ago) => {
    const { send, started, decisions, ticks, close } = await rig(kind);
    const begun = Date.now();
    // By the others' events the cart's 40 s are over, and the delay of 5 s all but one second.
    const cartAt = begun - ago - 46 * second;
    const others = cartAt + 44 * second;
    await send(
      { user: 'ann', type: 'cart', time: cartAt },
      { user: 'dan', type: 'cart', time: cartAt + 30 * second },
      { user: 'bob', type: 'view', time: others },
      { user: 'cid', type: 'view', time: others },
    );
    const stop = await started();
    await waitFor('the absence to fire', async () => firedBy(await decisions(), 'abandoned').length > 0);
    const took = Date.now() - begun;
    expect(firedBy(await decisions(), 'abandoned')).toEqual([['u:ann', cartAt + 40 * second]]);
    const appended = await ticks();
    expect(appended.length).toBeGreaterThan(0);
    for (const { time } of appended) {
      expect(time).toBeGreaterThanOrEqual(cartAt + 45 * second);
      expect(time).toBeLessThanOrEqual(others + took + second);
    }
    await stop();
    await close();
  });

  it('fires for a subject who is alone in its partition', async () => {
    const { send, started, decisions, close } = await rig(kind);
    const cartAt = Date.now() - year;
    await send(
      { user: 'ann', type: 'cart', time: cartAt },
      { user: 'ann', type: 'view', time: cartAt + 44 * second },
    );
    const stop = await started();
    await waitFor('the absence to fire', async () => firedBy(await decisions(), 'abandoned').length > 0);
    expect(firedBy(await decisions(), 'abandoned')).toEqual([['u:ann', cartAt + 40 * second]]);
    await stop();
    await close();
  });

  it('appends none while nothing is due', async () => {
    const { send, started, settled, rounds, ticks, close } = await rig(kind);
    const now = Date.now() - year;
    await send({ user: 'ann', type: 'cart', time: now }, { user: 'bob', type: 'view', time: now });
    const stop = await started();
    await settled();
    // The cart is due in 40 s; each round of a quiet partition begins with the ticker.
    const before = rounds();
    await waitFor('the ticker to have looked', () => rounds() >= before + 3);
    expect(await ticks()).toEqual([]);
    await stop();
    await close();
  });
});

describe("one client's clock an hour ahead fires nobody else's timers", () => {
  it.each(['memory', 'Redis'] as const)('through the log, in a history that is fed, on %s', async (kind) => {
    const { send, started, settled, decisions, close } = await rig(kind);
    const from = Date.now() - year;
    const stop = await started();
    await send(
      { user: 'ann', type: 'cart', time: from },
      { user: 'bob', type: 'cart', time: from },
      { user: 'cid', type: 'view', time: from },
      { user: 'eve', type: 'view', time: from + 3_600 * second },
      { user: 'eve', type: 'view', time: from + 3_601 * second },
      { user: 'cid', type: 'view', time: from + 10 * second },
      // In time by everybody's clock but eve's.
      { user: 'ann', type: 'order', time: from + 20 * second },
    );
    await settled();
    expect(firedBy(await decisions(), 'abandoned')).toEqual([]);
    await send(
      { user: 'cid', type: 'view', time: from + 44 * second },
      { user: 'eve', type: 'view', time: from + 3_644 * second },
    );
    await settled();
    expect(firedBy(await decisions(), 'abandoned')).toEqual([]);
    // Everybody else has come so far: now it is true.
    await send({ user: 'cid', type: 'view', time: from + 45 * second });
    await settled();
    expect(firedBy(await decisions(), 'abandoned')).toEqual([['u:bob', from + 40 * second]]);
    await stop();
    await close();
  });

  it('through the log, live: it is held to the time of appending', async () => {
    const { send, started, settled, decisions, close } = await rig('Redis');
    const now = Date.now();
    const stop = await started();
    await send(
      { user: 'ann', type: 'cart', time: now - second },
      ...[1, 2, 3].map((n) => ({ user: `eve-${n}`, type: 'view', time: now + 3_600 * second })),
    );
    await settled();
    expect(firedBy(await decisions(), 'abandoned')).toEqual([]);
    await stop();
    await close();
  });
});
