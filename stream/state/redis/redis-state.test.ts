import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestRedis, type TestRedis } from '../../../tests/support/redis.ts';
import { Packer, redisConnector } from '../../redis/index.ts';
import { redisState, type StateStore } from '../index.ts';
import { choice, commit, decision, request } from '../state.contract.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const take = { cap: 'weekly', session: null, limit: 1, windowMs: 1_000, at: 5 };

describe('the functions in Redis', () => {
  let server: TestRedis;
  let admin: Redis;
  let store: StateStore;
  beforeAll(async () => {
    server = await startTestRedis({ fsync: 'everysec', maxmemoryMb: 24 });
    admin = new Redis(server.url, { protocol: 2 });
  });
  beforeEach(async () => {
    await admin.config('SET', 'maxmemory', '24mb');
    await admin.flushall();
    store = redisState({ connector: redisConnector(server.url), version: 1, clock });
  });
  afterEach(() => store.close());
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  it('are loaded again when Redis has forgotten them', async () => {
    await store.commit(0, commit('', 'c1'));
    await admin.function('FLUSH', 'SYNC');
    expect(await store.commit(0, commit('c1', 'c2'))).toMatchObject({ kind: 'committed', sequence: 2 });
    await admin.function('FLUSH', 'SYNC');
    expect(await store.request(0, request('r1', []))).toMatchObject({ kind: 'decided' });
  });

  it('replace those of other versions of ours, and leave those of others alone', async () => {
    await admin.function('FLUSH', 'SYNC');
    const libraryNamed = (name: string) =>
      `#!lua name=${name}\nredis.register_function('${name}_f', function() return 1 end)`;
    await admin.function('LOAD', libraryNamed('presage_state_0123456789ab'));
    await admin.function('LOAD', libraryNamed('somebody_else'));
    await store.commit(0, commit('', 'c1'));
    const names = JSON.stringify(await admin.function('LIST'));
    expect(names).not.toContain('presage_state_0123456789ab');
    expect(names).toContain('somebody_else');
    expect(await admin.function('LIST', 'LIBRARYNAME', 'presage_state_*')).toHaveLength(1);
  });

  it('serve two versions of the program at once, though each deletes the other', async () => {
    await store.commit(0, commit('', 'c1'));
    const [mine] = (await admin.function('LIST', 'LIBRARYNAME', 'presage_state_*')) as string[][];
    await admin.function('DELETE', mine![1]!);
    await admin.function(
      'LOAD',
      '#!lua name=presage_state_other\nredis.register_function("other", function() return 1 end)',
    );
    expect(await store.commit(0, commit('c1', 'c2'))).toMatchObject({ kind: 'committed' });
  });

  describe('above maxmemory', () => {
    beforeEach(async () => {
      await store.commit(0, commit('', 'c1', { outbox: [{ kind: 'batch', payload: 'x' }] }));
      await admin.config('SET', 'maxmemory', '1mb');
      await expect(admin.set('anything', 'x')).rejects.toThrow('OOM');
    });

    it('let a commit through, with blobs, caps and outbox', async () => {
      const outcome = await store.commit(
        0,
        commit('c1', 'c2', {
          blobs: [['a', Buffer.alloc(1_000, 7)]],
          timers: [['acme:u:1', 5]],
          outbox: [decision([choice('a', [take])])],
        }),
      );
      expect(outcome).toMatchObject({ kind: 'committed', resolutions: [{ slots: [{ chosen: 0 }] }] });
      expect(await store.load(0, ['a'])).toEqual([Buffer.alloc(1_000, 7)]);
    });

    it('let readers save their position and trim, and layouts be saved', async () => {
      await store.saveReaderState(0, 'sink', '1');
      await store.trimOutbox(0, 1);
      await store.saveLayout(1, 'layout');
      expect(await store.readerState(0, 'sink')).toBe('1');
      expect(await store.outboxRange(0)).toEqual({ start: 1, end: 1 });
    });

    it('refuse a request, retriably, without taking its caps', async () => {
      const refused = store.request(0, request('r1', [choice('a', [take])]));
      await expect(refused).rejects.toMatchObject({ code: 'state_full', retriable: true });
      expect(await store.capsUsed(0, 'acme', 'u:1', [take])).toEqual([0]);
    });
  });

  describe('check everything before the first write', () => {
    const foreign: [string, (redis: Redis) => Promise<unknown>][] = [
      ['the head', (redis) => redis.set('{events.v1:0}:head', 'x')],
      ['the commits', (redis) => redis.set('{events.v1:0}:commits', 'x')],
      ['the outbox', (redis) => redis.set('{events.v1:0}:outbox', 'x')],
      ['the partition state', (redis) => redis.lpush('{events.v1:0}:partition', 'x')],
      ['the last caps', (redis) => redis.set('{events.v1:0}:cap:acme:u:9', 'x')],
      ['the timers', (redis) => redis.set('{events.v1:0}:timers:acme', 'x')],
      ['the caps of an expired subject', (redis) => redis.set('{events.v1:0}:cap:acme:u:8', 'x')],
      ['an outbox with foreign ids', (redis) => redis.xadd('{events.v1:0}:outbox', '5-0', 'a', 'b')],
    ];
    it.each(foreign)('a foreign type of %s stops the commit', async (_what, spoil) => {
      await spoil(admin);
      const before = await contents(admin);
      const refused = store.commit(
        0,
        commit('', 'c1', {
          blobs: [['a', Buffer.from('1')]],
          partitionState: Buffer.from('1'),
          timers: [['acme:u:1', 5]],
          outbox: [
            { kind: 'batch', payload: 'x' },
            { kind: 'expire', tenant: 'acme', subject: 'u:8', at: 1, ttlMs: 1 },
            decision([choice('a', [take])], 'u:1'),
            decision([choice('a', [take])], 'u:9'),
          ],
        }),
      );
      await expect(refused).rejects.toMatchObject({ code: 'state_refused', retriable: false });
      expect(await contents(admin)).toEqual(before);
    });

    it('damaged caps stop the commit', async () => {
      await admin.hset('{events.v1:0}:cap:acme:u:1', 'w:weekly', 'not JSON');
      const before = await contents(admin);
      const refused = store.commit(
        0,
        commit('', 'c1', { blobs: [['a', Buffer.from('1')]], outbox: [decision([choice('a', [take])])] }),
      );
      await expect(refused).rejects.toMatchObject({ code: 'state_refused' });
      expect(await contents(admin)).toEqual(before);
    });

    it('a foreign type stops a request', async () => {
      await admin.set('{events.v1:0}:outbox', 'x');
      const before = await contents(admin);
      const refused = store.request(0, request('r1', [choice('a', [take])]));
      await expect(refused).rejects.toMatchObject({ code: 'state_refused' });
      expect(await contents(admin)).toEqual(before);
    });

    it('packed arguments that are not ours are refused', async () => {
      await store.commit(0, commit('', 'c1'));
      const [library] = (await admin.function('LIST', 'LIBRARYNAME', 'presage_state_*')) as string[][];
      const keys = ['head', 'commits', 'outbox', 'partition'].map((key) => `{events.v1:0}:${key}`);
      const before = await contents(admin);
      for (const argument of ['', 'x', Buffer.from([0xdd, 0, 0, 0, 1, 0xc2]), Buffer.from([0xc1])]) {
        await expect(admin.fcall(`${library![1]}_commit`, 4, ...keys, argument)).rejects.toThrow();
      }
      expect(await contents(admin)).toEqual(before);
    });
  });

  it('read what was stored while a decision had one slot', async () => {
    const old = { chosen: 0, available: [0], capsSeen: [] };
    const today = { slots: [{ chosen: 0, available: [0] }], capsSeen: [] };
    await store.commit(0, commit('', 'c1', { outbox: [decision([choice('a', [])])] }));
    const [answered] = (await admin.hgetall('{events.v1:0}:commits'))['1']!.split('[');
    await admin.hset('{events.v1:0}:commits', '1', `${answered}[${JSON.stringify(old)}]`);
    expect(await store.commit(0, commit('', 'c1'))).toMatchObject({ resolutions: [today] });
    await admin.xadd(
      '{events.v1:0}:outbox',
      '0-2',
      'k',
      'decision',
      'p',
      '{}',
      'm',
      'c0',
      'r',
      JSON.stringify(old),
    );
    expect((await store.readOutbox(0, 1, 1, 0))[0]).toMatchObject({ resolution: today });
    const answer = new Packer().array(3).string('{}').string(JSON.stringify(old)).string('acme:u:1').finish();
    await admin.set('{events.v1:0}:idem:acme:r1', answer);
    expect(await store.request(0, request('r1', []))).toEqual({
      kind: 'repeated',
      payload: '{}',
      resolution: today,
    });
  });

  it('keep every key of a partition under its hash tag', async () => {
    await store.commit(
      3,
      commit('', 'c1', {
        blobs: [['acme:u:1', Buffer.from('1')]],
        partitionState: Buffer.from('1'),
        outbox: [decision([choice('a', [take])])],
      }),
    );
    await store.request(3, request('r1', []));
    await store.saveReaderState(3, 'sink', '1');
    const keys = await admin.keys('*');
    expect(keys.sort()).toEqual(
      [
        'cap:acme:u:1',
        'commits',
        'head',
        'idem:acme:r1',
        'outbox',
        'partition',
        'readers',
        'state:acme:u:1',
      ].map((key) => `{events.v1:3}:${key}`),
    );
    expect(await admin.ttl('{events.v1:3}:cap:acme:u:1')).toBe(-1);
  });
});

/** Every key with its serialized value. */
async function contents(redis: Redis): Promise<[string, string][]> {
  const keys = (await redis.keys('*')).sort();
  return Promise.all(
    keys.map(async (key): Promise<[string, string]> => [key, (await redis.dumpBuffer(key))!.toString('hex')]),
  );
}
