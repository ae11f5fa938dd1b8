import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../schemas/index.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { root, waitFor } from '../../tests/support/program.ts';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { silentLogger } from '../../tests/support/silence.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { makeFeatureSet } from '../features/index.ts';
import { memoryLog } from '../log/index.ts';
import { streamMetrics } from '../metrics.ts';
import { redisConnector } from '../redis/index.ts';
import { makeRequestDecider } from '../request.ts';
import { memoryState, redisState } from '../state/index.ts';
import { makeWorker } from '../worker.ts';

const second = 1_000;
const start = Date.UTC(2026, 0, 1);
const ttl = 300;
const workspace = {
  ...(await loadWorkspace(`${root}/tests/workspaces/timers`)),
  stateTtlMs: ttl * second,
};
let server: TestRedis;
let versions = 0;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

/** A worker at work all the while, requests beside it, and a clock in seconds. */
async function rig(kind: 'memory' | 'Redis') {
  const clock = manualClock(start);
  const store =
    kind === 'memory'
      ? memoryState({ clock })
      : redisState({
          connector: redisConnector(server.url),
          version: ++versions,
          clock: { now: clock.now, monotonic: () => performance.now() },
        });
  const log = memoryLog({ partitions: 1, clock });
  const features = makeFeatureSet(workspace);
  const scorers = { get: () => undefined, close: async () => {} };
  const parts = { workspace, features, scorers, clock, partitions: 1, log, store, logger: silentLogger() };
  let made = 0;
  const worker = makeWorker({
    ...parts,
    metrics: streamMetrics(new Registry()),
    newId: () => `c${made++}-${Math.random()}`,
  });
  await worker.start();
  const decide = makeRequestDecider({ ...parts, clock: { now: clock.now, monotonic: () => 0 } });

  /** An event of each of these users at this second, appended at once. */
  async function send(users: readonly string[], at: number): Promise<void> {
    const time = start + at * second;
    const events = users.map(
      (userId): StoredEvent => ({
        v: 1,
        id: `e${made++}`,
        tenant: 'acme',
        type: 'view',
        userId,
        time,
        properties: { price: 1 },
        source: 'http',
      }),
    );
    await log.append(
      events.map((event) => ({
        partition: 0,
        key: event.userId ?? '',
        value: Buffer.from(JSON.stringify(event)),
      })),
    );
    await waitFor(
      'all of them to be seen',
      async () => (await store.head(0)).position >= (await log.range(0)).end,
    );
  }

  return {
    /** Two others are seen at this second, so that time has come so far. */
    async others(at: number): Promise<void> {
      clock.set(start + at * second);
      await send(['ann', 'bob'], at);
    },
    send,
    commits: async (): Promise<number> => (await store.head(0)).sequence,
    async ask(at: number): Promise<string | null | undefined> {
      clock.set(start + at * second);
      const [answer] = await decide({
        tenant: 'acme',
        subject: 'u:asker',
        session: 's1',
        placements: ['banner'],
        context: {},
        requestId: `r${made++}`,
        receivedAt: start + at * second,
        simulated: false,
      });
      return answer?.action;
    },
    used: async (at: number): Promise<number | undefined> => {
      const cap = workspace.placements.get('banner')?.actions[0]?.caps[0];
      if (cap === undefined) throw new Error('The action has a cap.');
      const take = { cap: cap.id, session: null, windowMs: cap.windowMs, limit: cap.limit };
      return (await store.capsUsed(0, 'acme', 'u:asker', [{ ...take, at: start + at * second }]))[0];
    },
    entry: async (): Promise<number | null> => {
      const due = new Map(await store.earliestTimers(0, 'acme', 100)).get('acme:u:asker');
      return due === undefined ? null : (due - start) / second;
    },
    async stop(): Promise<void> {
      await worker.stop();
      await store.close();
      await log.close();
    },
  };
}

describe.each(['memory', 'Redis'] as const)('caps of someone who only ever asks, on %s', (kind) => {
  it('are forgotten by the log, one ttl after the first, once they no longer count', async () => {
    const { others, ask, used, entry, stop } = await rig(kind);
    // The worker has read the index before the first request puts anything into it.
    await others(0);
    expect(await ask(1)).toBe('any');
    expect([await used(1), await entry()]).toEqual([1, 1 + ttl]);
    await others(5 + ttl);
    expect([await used(1), await entry()]).toEqual([1, 1 + ttl]);
    await others(6 + ttl);
    expect([await used(1), await entry()]).toEqual([0, null]);
    await stop();
  });

  it('are looked at again one ttl later while they still count', async () => {
    const { others, ask, used, entry, stop } = await rig(kind);
    await others(0);
    await ask(1);
    // Its window is two minutes, and counts on either side.
    await ask(100);
    await others(6 + ttl);
    expect([await used(100), await entry()]).toEqual([1 + 1, 1 + 2 * ttl]);
    await others(6 + 2 * ttl);
    expect([await used(100), await entry()]).toEqual([0, null]);
    await stop();
  });

  it('begin anew for someone who asks again after that', async () => {
    const { others, ask, used, entry, stop } = await rig(kind);
    await others(0);
    await ask(1);
    await others(6 + ttl);
    await ask(10 + ttl);
    expect(await entry()).toBe(10 + 2 * ttl);
    expect(await used(10 + ttl)).toBe(1);
    await stop();
  });
});

describe.each(['memory', 'Redis'] as const)('events from long ago, on %s', (kind) => {
  it('are forgotten with the next one, many of them in one commit', async () => {
    const { others, send, commits, stop } = await rig(kind);
    await others(50 * ttl);
    const before = await commits();
    await send(
      Array.from({ length: 400 }, (_, user) => `late${user}`),
      ttl,
    );
    expect((await commits()) - before).toBeLessThan(20);
    await stop();
  });
});
