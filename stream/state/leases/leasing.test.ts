import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestRedis, type TestRedis } from '../../../tests/support/redis.ts';
import { RedisCaller, redisConnector } from '../../redis/index.ts';
import { stateCalls } from '../redis/functions.ts';
import { redisLeases } from '../redis/leases.ts';
import { choice } from '../state.contract.ts';
import { type LeasePlace, type LeaseStore, leftOf } from './lease.ts';
import { makeLeasing } from './leasing.ts';
import { memoryLeases } from './memory.ts';

const clock = { now: () => 0, monotonic: () => performance.now() };
let server: TestRedis;
let caller: RedisCaller;
beforeAll(async () => {
  server = await startTestRedis({ fsync: 'everysec' });
  caller = new RedisCaller({
    connector: redisConnector(server.url),
    name: 'state',
    clock,
    patienceMs: 60_000,
    commandTimeoutMs: 60_000,
  });
});
afterAll(async () => {
  caller.close();
  await server.stop();
});

let version = 0;
const stores: [name: string, make: () => LeaseStore][] = [
  ['memory', memoryLeases],
  ['Redis', () => redisLeases(stateCalls(caller, ++version), version)],
];

describe.each(stores)('leases, in %s', (_name, make) => {
  const place = (partition: number, bucket = 7, spans = 0): LeasePlace => ({
    partition,
    tenant: `acme${version}`,
    cap: 'budget',
    bucket,
    spans,
    limit: 10,
  });
  const nothing = { granted: 0, used: 0, returned: 0 };
  const take = (bucket = 7, spans = 0) => ({
    tenant: `acme${version}`,
    choices: [
      choice('x', [
        { cap: 'budget', session: null, limit: 10, windowMs: 1_000, at: 5, lease: { bucket, spans } },
      ]),
    ],
  });
  const takes = (count: number, bucket?: number, spans?: number) =>
    Array.from({ length: count }, () => take(bucket, spans));
  const held = async (store: LeaseStore, one: LeasePlace) => leftOf((await store.lease(one, {})) ?? nothing);

  it('are never more than the limit, however many ask at once', async () => {
    const store = make();
    await Promise.all(
      [0, 1, 2, 3, 4, 5].map((partition) => makeLeasing(store, () => 0).prepare(partition, takes(4))),
    );
    let sum = 0;
    for (const partition of [0, 1, 2, 3, 4, 5]) sum += await held(store, place(partition));
    expect(sum).toBeLessThanOrEqual(10);
    expect(sum).toBeGreaterThan(0);
  });

  it('lose nothing with a process that dies between the grant and its note', async () => {
    const store = make();
    expect(await store.grant(place(0), nothing, 6)).toBe(6);
    expect(await held(store, place(0))).toBe(0);
    await makeLeasing(store, () => 0).prepare(0, takes(2));
    expect(await held(store, place(0))).toBe(6);
    await makeLeasing(store, () => 0).prepare(0, takes(8));
    expect(await held(store, place(0))).toBe(8);
  });

  it('lose nothing with a process that dies between giving back and telling so', async () => {
    const store = make();
    await makeLeasing(store, () => 0).prepare(0, takes(10));
    await store.lease(place(0), { giveBack: true });
    await makeLeasing(store, () => 0).prepare(1, takes(9));
    expect(await held(store, place(1))).toBe(9);
  });

  it('are taken back where they are not needed', async () => {
    const store = make();
    await makeLeasing(store, () => 0).prepare(0, takes(10));
    await makeLeasing(store, () => 0).prepare(1, takes(3));
    expect(await held(store, place(0))).toBe(0);
    expect(await held(store, place(1))).toBe(3);
  });

  it('of buckets that share the limit are taken back, too, and are one limit', async () => {
    const store = make();
    const leasing = makeLeasing(store, () => 0);
    await leasing.prepare(0, takes(6, 7, 2));
    await leasing.prepare(0, takes(6, 10, 2));
    expect(await held(store, place(0, 7, 2))).toBe(6);
    expect(await held(store, place(0, 10, 2))).toBe(6);
    await leasing.prepare(0, takes(6, 9, 2));
    expect(await held(store, place(0, 9, 2))).toBe(6);
    expect(await held(store, place(0, 7, 2))).toBe(0);
  });

  it('believe a partition that holds more than a ledger that has gone back in time', async () => {
    const store = make();
    await store.grant(place(0), { granted: 7, used: 7, returned: 0 }, 0);
    expect(await store.grant(place(1), nothing, 10)).toBe(3);
  });

  it('are not asked for again at once where there was nothing left', async () => {
    const store = make();
    let asked = 0;
    const counting: LeaseStore = {
      ...store,
      grant: (...args) => {
        asked += 1;
        return store.grant(...args);
      },
    };
    let now = 0;
    const leasing = makeLeasing(counting, () => now);
    await leasing.prepare(0, takes(20));
    const before = asked;
    await leasing.prepare(0, takes(20));
    expect(asked).toBe(before);
    now = 250;
    await leasing.prepare(0, takes(20));
    expect(asked).toBeGreaterThan(before);
    // Longer each time: in an hour only some hundred times.
    const since = asked;
    for (; now < 3_600_000; now += 100) await leasing.prepare(0, takes(20));
    expect(asked - since).toBeLessThan(300);
  });
});
