import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { patienceMs } from '../../tests/support/patience.ts';
import { redisBinary as binary } from '../../tests/support/redis.ts';
import { processIdentity } from '../process/identity.ts';
import { type RedisServer, startRedisServer, superviseRedis } from './index.ts';

const settings = { binary, maxmemoryMb: 64, fsync: 'always' } as const;

describe('a private Redis server', () => {
  let folder: string;
  const running: { stop(): Promise<void> }[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'presage-redis-server-'));
  });
  afterEach(async () => {
    for (const server of running.splice(0)) await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const start = async (
    options: Partial<Parameters<typeof startRedisServer>[0]> = {},
  ): Promise<RedisServer> => {
    const server = await startRedisServer({ ...settings, folder, ...options });
    running.push(server);
    return server;
  };

  it('serves durably, never evicts, and listens to this user only', async () => {
    const { url } = await start();
    expect(url.startsWith('/')).toBe(true);
    expect(await ask(url, (redis) => redis.config('GET', 'append*'))).toEqual(
      expect.arrayContaining(['appendonly', 'yes', 'appendfsync', 'always']),
    );
    expect(await ask(url, (redis) => redis.config('GET', 'maxmemory*'))).toEqual(
      expect.arrayContaining(['maxmemory', String(64 * 1024 * 1024), 'maxmemory-policy', 'noeviction']),
    );
    expect(await ask(url, (redis) => redis.config('GET', 'port'))).toEqual(['port', '0']);
  });

  it('keeps its data over a stop and over a crash', async () => {
    const first = await start();
    await ask(first.url, (redis) => redis.set('a', 'stopped'));
    await first.stop();
    const second = await start();
    await ask(second.url, (redis) => redis.set('b', 'killed'));
    await second.kill();
    const third = await start();
    expect(await ask(third.url, (redis) => redis.mget('a', 'b'))).toEqual(['stopped', 'killed']);
  });

  it('tells when it ended by itself, and not when it was told to', async () => {
    const onExit = vi.fn();
    const killed = await start({ onExit });
    await killed.kill();
    await vi.waitFor(() => expect(onExit).toHaveBeenCalledOnce(), patienceMs);
    expect(onExit.mock.calls[0]?.[0]).toContain('SIGKILL');
    const stopped = await start({ onExit });
    await stopped.stop();
    expect(onExit).toHaveBeenCalledOnce();
  });

  it('listens on a port where one is asked for, and says so when it is taken', async () => {
    const taken = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    await expect(start({ port })).rejects.toMatchObject({
      code: 'port_taken',
      message: expect.stringContaining(String(port)),
    });
    await new Promise((resolve) => taken.close(resolve));
    const server = await start({ port });
    expect(server.url).toBe(`redis://127.0.0.1:${port}`);
    expect(await ask(server.url, (redis) => redis.ping())).toBe('PONG');
  });

  it('finds room for its socket where the data folder has a very long path', async () => {
    const server = await start({ folder: join(folder, 'x'.repeat(120)) });
    expect(Buffer.byteLength(server.url)).toBeLessThan(104);
    expect(await ask(server.url, (redis) => redis.ping())).toBe('PONG');
  });

  it('refuses a folder that another living program serves', async () => {
    await start();
    await expect(start()).rejects.toMatchObject({
      code: 'data_folder_in_use',
      message: expect.stringContaining(String(process.pid)),
    });
  });

  it('takes over from a server that a killed program left behind, with its data', async () => {
    const orphan = await leaveOrphan(folder);
    await ask(orphan.url, (redis) => redis.set('left', 'behind'));
    const server = await start();
    expect(server.pid).not.toBe(orphan.pid);
    expect(await ask(server.url, (redis) => redis.get('left'))).toBe('behind');
    expect(await processIdentity(orphan.pid)).toBeNull();
  });

  it('repeats the last words of Redis when its data is damaged', async () => {
    const server = await start();
    await ask(server.url, (redis) => redis.set('a', 'x'.repeat(1_000)));
    await ask(server.url, (redis) => redis.set('b', 'y'.repeat(1_000)));
    await server.stop();
    await damage(join(folder, 'appendonlydir'));
    await expect(start()).rejects.toMatchObject({
      code: 'redis_failed',
      message: expect.stringContaining('Bad file format reading the append only file'),
    });
  });

  it('says what to do when the binary is missing, too old, or the folder cannot be written', async () => {
    await expect(start({ binary: '/nowhere/redis-server' })).rejects.toMatchObject({
      code: 'redis_missing',
      message: expect.stringContaining('/nowhere/redis-server'),
    });
    const old = join(folder, 'old-redis');
    await writeFile(old, '#!/bin/sh\necho "Redis server v=6.2.14 sha=0:0 malloc=libc bits=64"\n');
    await chmod(old, 0o755);
    await expect(start({ binary: old })).rejects.toMatchObject({
      code: 'redis_too_old',
      message: expect.stringContaining('6.2.14'),
    });
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    await expect(start({ folder: join(file, 'data') })).rejects.toMatchObject({ code: 'redis_failed' });
  });

  it('is started again by its supervisor after each crash, on the same address with all data', async () => {
    const logger = { ...silent, error: vi.fn() };
    const server = await superviseRedis({ ...settings, folder, logger });
    running.push(server);
    const client = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
    client.on('error', () => {});
    for (let crash = 1; crash <= 3; crash++) {
      await client.set(`crash ${crash}`, 'kept');
      const { pid } = server;
      await server.kill();
      await vi.waitFor(() => expect(server.pid).not.toBe(pid), patienceMs);
      expect(await client.get(`crash ${crash}`)).toBe('kept');
    }
    expect(server.health()).toEqual({ state: 'ok' });
    expect(logger.error).toHaveBeenCalledTimes(3);
    client.disconnect();
  });

  it('is tried for ever by its supervisor, which says why it is down, and stops when told to', async () => {
    const server = await superviseRedis({ ...settings, folder, logger: silent });
    running.push(server);
    const aof = join(folder, 'appendonlydir');
    await rm(aof, { recursive: true });
    await writeFile(aof, 'no folder');
    await server.kill();
    await vi.waitFor(
      () =>
        expect(server.health()).toMatchObject({
          state: 'down',
          why: expect.stringContaining('appendonlydir'),
        }),
      patienceMs,
    );
    await rm(aof);
    await mkdir(aof);
    await vi.waitFor(() => expect(server.health()).toEqual({ state: 'ok' }), patienceMs);
  });
});

const silent = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silent,
};

async function ask<T>(url: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { protocol: 2 });
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

/** Starts a server from a process that is then killed, as SIGKILL on the program would. */
async function leaveOrphan(folder: string): Promise<{ url: string; pid: number }> {
  const module = join(folder, 'redis.mjs');
  const entry = new URL('./index.ts', import.meta.url).pathname;
  await build({ entryPoints: [entry], outfile: module, bundle: true, platform: 'node', format: 'esm' });
  const code = `
    import { startRedisServer } from ${JSON.stringify(module)};
    const server = await startRedisServer(${JSON.stringify({ ...settings, folder })});
    console.log(JSON.stringify({ url: server.url, pid: server.pid }));
    setInterval(() => {}, 1000);`;
  const program = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) =>
    program.stdout.once('data', (data) => resolve(String(data))),
  );
  const gone = new Promise((resolve) => program.once('exit', resolve));
  program.kill('SIGKILL');
  await gone;
  return JSON.parse(line);
}

/** Overwrites bytes in the middle of the append-only file. */
async function damage(folder: string): Promise<void> {
  const name = (await readdir(folder)).find((file) => file.endsWith('.incr.aof'))!;
  const bytes = await readFile(join(folder, name));
  bytes.fill('!', 40, 60);
  await writeFile(join(folder, name), bytes);
}
