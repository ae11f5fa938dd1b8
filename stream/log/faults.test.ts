import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Cut, type CuttingProxy, cuttingProxy } from '../../tests/support/cutting-proxy.ts';
import { patienceMs } from '../../tests/support/patience.ts';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { redisConnector } from '../redis/index.ts';
import {
  type EventLog,
  type LogRecord,
  type NewRecord,
  type RedisStreamsLogOptions,
  redisStreamsLog,
} from './index.ts';
import { readAll, readerOf } from './log.contract.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

describe('the log in Redis', () => {
  let server: TestRedis;
  const open: EventLog[] = [];
  beforeEach(async () => {
    server = await startTestRedis({ maxmemoryMb: 24 });
  });
  afterEach(async () => {
    for (const log of open.splice(0)) await log.close();
    await server.stop();
  });
  const start = async (
    url = server.url,
    options: Partial<RedisStreamsLogOptions> = {},
  ): Promise<EventLog> => {
    const log = await redisStreamsLog({
      connector: redisConnector(url),
      version: 1,
      partitions: 2,
      clock,
      ...options,
    });
    open.push(log);
    return log;
  };

  it('refuses another number of partitions, by name, and serves another version beside it', async () => {
    await start();
    await expect(start(server.url, { partitions: 3 })).rejects.toMatchObject({
      code: 'partitions_mismatch',
      retriable: false,
      message: expect.stringMatching(/2 partitions.*3 were asked for/),
    });
    expect((await start(server.url, { partitions: 3, version: 2 })).partitions).toBe(3);
    expect((await start()).partitions).toBe(2);
  });

  it('keeps every acknowledged record through kills of Redis; readers get each once, in order', async () => {
    const log = await start(server.url, { patienceMs });
    const sent: number[] = [];
    const read: LogRecord[] = [];
    let isOver = false;
    const writer = (async () => {
      for (let i = 0; !isOver; i += 10) {
        const offsets = await log.append(Array.from({ length: 10 }, (_, j) => record(0, i + j)));
        sent.push(...offsets);
      }
    })();
    const { reader, subscription } = await readerOf(log, 0, 0);
    const reading = (async () => {
      while (!isOver || read.length < sent.length) read.push(...(await reader.next(100, 200)));
    })();
    for (let kill = 1; kill <= 5; kill++) {
      const before = read.length;
      await vi.waitFor(() => expect(read.length).toBeGreaterThan(before + 300 * kill), patienceMs);
      await server.kill();
      await server.restart();
    }
    const before = read.length;
    await vi.waitFor(() => expect(read.length).toBeGreaterThan(before + 300), patienceMs);
    isOver = true;
    await writer;
    await reading;
    await subscription.stop();
    const counted = sent.map((_, i) => i);
    expect(sent).toEqual(counted);
    expect(read.map(({ offset }) => offset)).toEqual(counted);
    expect(read.map(({ key }) => Number(key))).toEqual(counted);
    expect(await log.range(0)).toEqual({ start: 0, end: sent.length });
  });

  it('refuses from its share of maxmemory on, keeps nothing of that call, and recovers by a trim', async () => {
    // A share is good for 100 ms, in which a quick disk takes more than the rest: by this clock it is over at once.
    let looks = 0;
    const hurried = { now: clock.now, monotonic: () => clock.monotonic() + 100 * looks++ };
    const log = await start(server.url, { clock: hurried });
    const filler = { partition: 0, key: 'filler', value: Buffer.alloc(100_000, 1) };
    let refused: unknown;
    for (let i = 0; i < 1_000 && refused === undefined; i++) {
      await log.append([filler]).catch((error) => {
        // A disk that stalls for seconds makes an append unavailable, which is none of this test's matter.
        if (error.code !== 'log_unavailable') refused = error;
      });
    }
    expect(refused).toMatchObject({
      code: 'log_full',
      retriable: true,
      message: expect.stringContaining('70%'),
    });
    const range = await log.range(0);
    await expect(log.append([filler, record(1, 1)])).rejects.toMatchObject({ code: 'log_full' });
    expect(await log.range(0)).toEqual(range);
    expect(await log.range(1)).toEqual({ start: 0, end: 0 });
    await log.trim(0, range.end);
    const again = await vi.waitFor(() => log.append([record(0, 1)]), patienceMs);
    expect(again).toEqual([range.end]);
  });

  it("maps Redis's own refusal above maxmemory, and still opens, reads and trims then", async () => {
    const log = await start(server.url, { fullAt: 1_000 });
    await log.append([record(0, 1), record(0, 2)]);
    const admin = new Redis(server.url);
    await admin.config('SET', 'maxmemory', '1mb');
    await expect(log.append([record(0, 3)])).rejects.toMatchObject({ code: 'log_full', retriable: true });
    // What others wait for before they can be trimmed is taken all the same.
    expect(await log.append([record(0, 3)], true)).toEqual([2]);
    const second = await start();
    expect(await readAll(second, 0, 3)).toHaveLength(3);
    await second.trim(0, 1);
    expect(await second.range(0)).toEqual({ start: 1, end: 3 });
    admin.disconnect();
  });

  it('fails within its patience when Redis is away, and works again when Redis does', async () => {
    const log = await start(server.url, { patienceMs: 300 });
    await log.append([record(0, 0)]);
    await server.kill();
    const begun = performance.now();
    for (const outcome of await Promise.allSettled([
      log.append([record(0, 1)]),
      log.range(0),
      log.trim(0, 0),
    ])) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { code: 'log_unavailable', retriable: true, message: expect.stringContaining(server.url) },
      });
    }
    await expect(start(server.url, { patienceMs: 300 })).rejects.toMatchObject({ code: 'log_unavailable' });
    expect(performance.now() - begun).toBeLessThan(patienceMs / 2);
    await server.restart();
    expect(await log.append([record(0, 1)])).toEqual([1]);
  });

  it('tells a reader that Redis is away, and goes on at the same record afterwards', async () => {
    const log = await start();
    await log.append([record(0, 0), record(0, 1)]);
    const { reader } = await readerOf(log, 0, 0);
    expect(await reader.next(1, patienceMs)).toHaveLength(1);
    expect(await reader.next(1, patienceMs)).toHaveLength(1);
    await server.kill();
    await expect(reader.next(1, 100)).rejects.toMatchObject({ code: 'log_unavailable', retriable: true });
    await server.restart();
    await log.append([record(0, 2)]);
    expect((await reader.next(1, patienceMs)).map(({ offset }) => offset)).toEqual([2]);
  });

  it('tells a reader when the log was emptied under it', async () => {
    const log = await start();
    await log.append([record(0, 0)]);
    const { reader } = await readerOf(log, 0, 0);
    await reader.next(1, patienceMs);
    const admin = new Redis(server.url);
    await admin.flushall();
    await expect(reader.next(1, 50)).rejects.toMatchObject({
      code: 'log_position_lost',
      details: { offset: 1, start: 0, end: 0 },
    });
    admin.disconnect();
  });

  it('loads its function again when Redis has forgotten it', async () => {
    const log = await start();
    const admin = new Redis(server.url);
    await log.append([record(0, 0)]);
    await admin.function('FLUSH', 'SYNC');
    expect(await Promise.all([log.append([record(0, 1)]), log.append([record(0, 2)])])).toEqual([[1], [2]]);
    admin.disconnect();
  });

  it('refuses to write into a stream that is not its own', async () => {
    const log = await start();
    const admin = new Redis(server.url);
    await admin.xadd('{events.v1:1}:log', '5-0', 'a', 'b');
    await expect(log.append([record(0, 0), record(1, 0)])).rejects.toMatchObject({
      code: 'log_refused',
      retriable: false,
    });
    expect(await log.range(0)).toEqual({ start: 0, end: 0 });
    admin.disconnect();
  });

  describe('with a network that fails', () => {
    let proxy: CuttingProxy;
    beforeEach(async () => {
      proxy = await cuttingProxy(server.url);
    });
    afterEach(() => proxy.stop());

    it.each<Cut>(['lose the request', 'lose the reply', 'swallow the reply'])(
      '%s: an append happens once, in order',
      async (how) => {
        const log = await start(proxy.url, { commandTimeoutMs: 150 });
        await log.append([record(0, 0)]);
        proxy.cut(how);
        const calls = [1, 2, 3].map((i) => log.append([record(0, i), record(1, i)]));
        expect(await Promise.all(calls)).toEqual([
          [1, 0],
          [2, 1],
          [3, 2],
        ]);
        expect(proxy.cuts).toBe(1);
        expect((await readAll(log, 0, 4)).map(({ key }) => key)).toEqual(['0', '1', '2', '3']);
        expect(await log.range(1)).toEqual({ start: 0, end: 3 });
      },
    );

    it('a late copy of an append, after it was sent again and others followed, appends nothing', async () => {
      const log = await start(proxy.url);
      await log.append([record(0, 0)]);
      proxy.cut('delay the request');
      await log.append([record(0, 1)]);
      await log.append([record(0, 2)]);
      expect(proxy.cuts).toBe(1);
      await proxy.releaseDelayed();
      expect((await readAll(log, 0, 3)).map(({ key }) => key)).toEqual(['0', '1', '2']);
      expect(await log.range(0)).toEqual({ start: 0, end: 3 });
    });
  });
});

const record = (partition: number, n: number): NewRecord => ({
  partition,
  key: `${n}`,
  value: Buffer.from(`value ${n}`),
});
