import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterConnector, type RedisConnector, redisConnector } from '../../../stream/redis/index.ts';
import { redisState, type StateStore } from '../../../stream/state/index.ts';
import { type ChildProgram, childProgram } from '../../support/child.ts';
import { waitFor } from '../../support/program.ts';
import { startTestRedis } from '../../support/redis.ts';
import { startTestCluster } from '../../support/redis-cluster.ts';
import { report } from '../stream/report.ts';
import { day, type Limits, partitions, subjects, type Told, tenant } from './rules.ts';
import type { Orders } from './taker.child.fixture.ts';

const isFull = process.env.PRESAGE_FULL === '1';
const form = isFull ? ' [full form]' : '';
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const processes = 8;

interface Servers {
  readonly url: Orders['url'];
  stop(): Promise<void>;
}

const places: readonly [name: string, tries: number, begin: () => Promise<Servers>][] = [
  ['one Redis', isFull ? 100_000 : 5_000, () => startTestRedis({ fsync: 'everysec' })],
  [
    'a Redis Cluster of three masters',
    isFull ? 100_000 : 2_000,
    async () => {
      const cluster = await startTestCluster();
      return { url: cluster.ports, stop: cluster.stop };
    },
  ],
];

describe.each(places)(`limits, on %s${form}`, (where, tries, begin) => {
  let servers: Servers;
  let program: ChildProgram;
  let store: StateStore;
  let connector: RedisConnector;
  beforeAll(async () => {
    [servers, program] = await Promise.all([
      begin(),
      childProgram(new URL('./taker.child.fixture.ts', import.meta.url)),
    ]);
    connector =
      typeof servers.url === 'string'
        ? redisConnector(servers.url)
        : clusterConnector(servers.url.map((port) => ({ host: '127.0.0.1', port })));
    store = redisState({ connector, version: 1, clock, patienceMs: 120_000 });
  });
  afterAll(async () => {
    await store?.close();
    await program?.remove();
    await servers?.stop();
  });

  it(`are never exceeded, and used to at least 95%, by 8 processes of which two are killed${form}`, async () => {
    const limits: Limits = { daily: Math.floor(tries / 20), all: Math.floor(tries / 20) };
    const each = Math.ceil(tries / processes);
    const orders = Array.from(
      { length: processes },
      (_, index): Orders => ({
        url: servers.url,
        role: index < partitions ? 'worker' : 'client',
        partition: index % partitions,
        tries: each,
        seed: index + 1,
        limits,
      }),
    );
    // The first worker dies alone, so that it is known what it has leased.
    const first = program.start(JSON.stringify({ ...orders[0], seed: 100, dieAfter: 40 }));
    expect((await first.ended).how).toBe('SIGKILL');
    expect(await leasesLeft(connector)).toBeGreaterThan(0);

    // A client dies in the middle of it, and another goes on in its place.
    const running = orders.map((one, index) =>
      program.start(JSON.stringify(index === partitions ? { ...one, dieAfter: 40 } : one)),
    );
    expect((await running[partitions]!.ended).how).toBe('SIGKILL');
    running[partitions] = program.start(JSON.stringify({ ...orders[partitions], seed: 101 }));
    for (const { ended } of running) {
      const { how, output } = await ended;
      expect(how === 'exit 0' ? how : `${how}: ${output}`).toBe('exit 0');
    }

    const taken = await takenIn(store);
    expect(taken.tries).toBeGreaterThanOrEqual(tries);
    const used = {
      daily: [...taken.daily.values()],
      shared: [taken.shared],
      personal: [...taken.personal.values()],
      welcome: [...taken.welcome.values()],
    };
    expect(used.daily).toHaveLength(2);
    const most = { daily: limits.daily, shared: limits.all, personal: 2, welcome: 1 };
    const whole = { daily: 2, shared: 1, personal: subjects, welcome: 2 * subjects };
    const shares: Record<string, number> = {};
    for (const [name, counts] of Object.entries(used) as [keyof typeof most, number[]][]) {
      for (const count of counts)
        expect({ name, count, most: most[name] }).toMatchObject({
          count: expect.toSatisfy((n: number) => n <= most[name]),
        });
      const share = counts.reduce((sum, count) => sum + count, 0) / (most[name] * whole[name]);
      shares[`${name} used, %`] = Math.round(share * 1_000) / 10;
      expect({ name, share, isEnough: share >= 0.95 }).toMatchObject({ isEnough: true });
    }
    report(`limits on ${where}: 8 processes, 2 kills`, { tries: taken.tries, ...shares });
  });
});

/** What partitions hold of budgets and have not used. */
async function leasesLeft(connector: RedisConnector): Promise<number> {
  const redis = connector.connect('look');
  redis.on('error', () => {});
  await waitFor('a connection', () => redis.status === 'ready');
  let left = 0;
  for (let partition = 0; partition < partitions; partition++) {
    const leases = await redis.hgetall(`{events.v1:${partition}}:lease:${tenant}:daily/budget`);
    for (const [bucket, counts] of Object.entries(leases)) {
      const [granted = 0, used = 0, returned = 0] = counts.split(' ').map(Number);
      if (bucket !== 'floor') left += granted - used - returned;
    }
  }
  redis.disconnect();
  return left;
}

async function takenIn(store: StateStore) {
  const taken = {
    tries: 0,
    shared: 0,
    daily: new Map<number, number>(),
    personal: new Map<string, number>(),
    welcome: new Map<string, number>(),
  };
  const count = <K>(counts: Map<K, number>, key: K) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (let partition = 0; partition < partitions; partition++) {
    const { end } = await store.outboxRange(partition);
    for (let offset = 0; offset < end; offset += 1_000) {
      for (const { payload, resolution } of await store.readOutbox(partition, offset, 1_000, 0)) {
        const told = JSON.parse(payload) as Told;
        taken.tries += 1;
        const action = told.actions[resolution?.slots[0]?.chosen ?? -1];
        if (action === 'daily') count(taken.daily, Math.floor(told.time / day));
        if (action === 'shared') taken.shared += 1;
        if (action === 'personal') count(taken.personal, told.subject);
        if (action === 'welcome') count(taken.welcome, told.session);
      }
    }
  }
  return taken;
}
