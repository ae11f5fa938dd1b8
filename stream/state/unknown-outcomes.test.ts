import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Cut, type CuttingProxy, cuttingProxy } from '../../tests/support/cutting-proxy.ts';
import { patienceMs } from '../../tests/support/patience.ts';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { redisConnector } from '../redis/index.ts';
import { redisState, type StateStore } from './index.ts';
import { choice, commit, decision, request } from './state.contract.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const take = { cap: 'once', session: null, limit: 3, windowMs: 1_000, at: 5 };
const offered = [choice('a', [take])];

describe('a call whose outcome is unknown', () => {
  let server: TestRedis;
  let proxy: CuttingProxy;
  let admin: Redis;
  let store: StateStore;
  beforeAll(async () => {
    server = await startTestRedis();
    admin = new Redis(server.url);
  });
  beforeEach(async () => {
    await admin.flushall();
    proxy = await cuttingProxy(server.url);
    const connector = redisConnector(proxy.url);
    store = redisState({ connector, version: 1, clock, commandTimeoutMs: 150, patienceMs });
    // The functions are loaded and the connection is made before anything is cut.
    await store.saveReaderState(0, 'test', 'ready');
  });
  afterEach(async () => {
    await store.close();
    await proxy.stop();
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  const cuts: Cut[] = ['lose the request', 'lose the reply', 'swallow the reply'];

  it.each(cuts)('%s: a commit has exactly one effect, and its answer is complete', async (how) => {
    proxy.cut(how);
    const outbox = [decision(offered), decision(offered)];
    const outcome = await store.commit(0, commit('', 'c1', { position: 5, outbox }));
    expect(proxy.cuts).toBe(1);
    expect(outcome).toMatchObject({
      kind: 'committed',
      sequence: 1,
      resolutions: [
        { slots: [{ chosen: 0 }], capsSeen: [{ used: 0 }] },
        { slots: [{ chosen: 0 }], capsSeen: [{ used: 1 }] },
      ],
    });
    expect(await store.outboxRange(0)).toEqual({ start: 0, end: 2 });
    expect(await store.capsUsed(0, 'acme', 'u:1', [take])).toEqual([2]);
    expect(await store.head(0)).toEqual({ position: 5, commitId: 'c1', sequence: 1, generation: 0 });
  });

  it.each(cuts)('%s: pipelined commits keep their chain', async (how) => {
    proxy.cut(how, 'fcall', 2);
    const chain = ['c1', 'c2', 'c3'].map((id, i) =>
      store.commit(0, commit(i === 0 ? '' : `c${i}`, id, { position: i, outbox: [decision(offered)] })),
    );
    const outcomes = await Promise.all(chain);
    expect(outcomes.map((outcome) => outcome.kind === 'committed' && outcome.sequence)).toEqual([1, 2, 3]);
    expect(await store.outboxRange(0)).toEqual({ start: 0, end: 3 });
    expect(await store.capsUsed(0, 'acme', 'u:1', [take])).toEqual([3]);
  });

  it('a commit whose predecessor has to be sent many times waits for it, and is not fenced', async () => {
    proxy.cut('lose the request', 'only in the first', 5);
    const blob = Buffer.from('only in the first');
    const first = store.commit(0, commit('', 'c1', { position: 1, blobs: [['a', blob]] }));
    await vi.waitFor(() => expect(proxy.cuts).toBe(5), { interval: 1, timeout: patienceMs });
    // The first is pausing before its next try: the second arrives before it.
    const second = store.commit(0, commit('c1', 'c2', { position: 2 }));
    expect(await Promise.all([first, second])).toMatchObject([{ sequence: 1 }, { sequence: 2 }]);
  });

  it('a commit whose reply was lost is fenced if another writer went on meanwhile from elsewhere', async () => {
    proxy.cut('lose the request');
    const other = redisState({ connector: redisConnector(server.url), version: 1, clock });
    const mine = store.commit(0, commit('', 'mine'));
    await other.commit(0, commit('', 'theirs'));
    const outcome = await mine;
    const { commitId } = await store.head(0);
    // Either could be first, but never both.
    if (commitId === 'theirs')
      expect(outcome).toMatchObject({ kind: 'fenced', head: { commitId: 'theirs' } });
    else expect(outcome).toMatchObject({ kind: 'committed' });
    await other.close();
  });

  it('a late copy of a commit, after it was sent again and others followed, has no effect', async () => {
    proxy.cut('delay the request');
    await store.commit(0, commit('', 'c1', { position: 1, outbox: [decision(offered)] }));
    await store.commit(0, commit('c1', 'c2', { position: 2, outbox: [decision(offered)] }));
    expect(proxy.cuts).toBe(1);
    await proxy.releaseDelayed();
    expect(await store.head(0)).toEqual({ position: 2, commitId: 'c2', sequence: 2, generation: 0 });
    expect(await store.outboxRange(0)).toEqual({ start: 0, end: 2 });
    expect(await store.capsUsed(0, 'acme', 'u:1', [take])).toEqual([2]);
  });

  it.each(cuts)('%s: a request takes its caps and publishes once', async (how) => {
    proxy.cut(how);
    const outcome = await store.request(0, request('r1', offered));
    expect(proxy.cuts).toBe(1);
    expect(outcome).toMatchObject({ resolution: { slots: [{ chosen: 0 }], capsSeen: [{ used: 0 }] } });
    if (outcome.kind === 'repeated') expect(outcome.payload).toBe('payload of r1');
    expect(await store.outboxRange(0)).toEqual({ start: 0, end: 1 });
    expect(await store.capsUsed(0, 'acme', 'u:1', [take])).toEqual([1]);
  });
});

describe('a store whose Redis is away', () => {
  it('answers every call within its patience, retriably, and works again when Redis does', async () => {
    const server = await startTestRedis();
    const store = redisState({
      connector: redisConnector(server.url),
      version: 1,
      clock,
      patienceMs: 300,
    });
    try {
      await store.commit(0, commit('', 'c1'));
      await server.kill();
      const begun = performance.now();
      const calls = [
        store.commit(0, commit('c1', 'c2')),
        store.request(0, request('r1', [])),
        store.head(0),
        store.load(0, ['a']),
        store.readOutbox(0, 0, 1, 100),
        store.saveReaderState(0, 'sink', 'x'),
      ];
      for (const outcome of await Promise.allSettled(calls)) {
        expect(outcome).toMatchObject({
          status: 'rejected',
          reason: {
            code: 'state_unavailable',
            retriable: true,
            message: expect.stringContaining(server.url),
          },
        });
      }
      expect(performance.now() - begun).toBeLessThan(patienceMs / 2);
      await server.restart();
      expect(await store.commit(0, commit('c1', 'c2'))).toMatchObject({
        kind: 'committed',
        sequence: 2,
      });
    } finally {
      await store.close();
      await server.stop();
    }
  });

  it('keeps a reader of the outbox waiting through a crash of Redis', async () => {
    const server = await startTestRedis();
    const store = redisState({ connector: redisConnector(server.url), version: 1, clock });
    try {
      await store.commit(0, commit('', 'c1', { outbox: [{ kind: 'batch', payload: 'before' }] }));
      const waiting = store.readOutbox(0, 1, 10, patienceMs);
      await server.kill();
      await server.restart();
      await store.commit(0, commit('c1', 'c2', { outbox: [{ kind: 'batch', payload: 'after' }] }));
      expect(await waiting).toMatchObject([{ offset: 1, payload: 'after' }]);
    } finally {
      await store.close();
      await server.stop();
    }
  });

  it('answers at once after it was closed', async () => {
    const store = redisState({ connector: redisConnector('/nowhere/redis.sock'), version: 1, clock });
    const waiting = store.head(0);
    await store.close();
    await expect(waiting).rejects.toMatchObject({ code: 'state_unavailable' });
    await expect(store.commit(0, commit('', 'c1'))).rejects.toMatchObject({ code: 'state_unavailable' });
  });
});
