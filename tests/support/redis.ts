import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedisServer } from '../../app/redis/server.ts';

export interface TestRedis {
  readonly url: string;
  /** Holds its data. */
  readonly folder: string;
  /** The running server's process id; another one after `restart`. */
  readonly pid: number;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
  /** Starts it again on the same data and the same address. */
  restart(): Promise<void>;
  /** Stops it and removes its data. */
  stop(): Promise<void>;
}

export interface TestRedisOptions {
  readonly maxmemoryMb?: number;
  readonly fsync?: 'always' | 'everysec';
  readonly port?: number;
}

/** The server that tests use: REDIS_SERVER, else `redis-server` on the PATH. */
export const redisBinary = process.env.REDIS_SERVER ?? 'redis-server';

/** A fresh private server in a temporary folder. Its owner must `stop()` it; `withRedis` does that by itself. */
export async function startTestRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'presage-test-redis-'));
  const start = (): Promise<RedisServer> =>
    startRedisServer({
      binary: redisBinary,
      folder,
      maxmemoryMb: options.maxmemoryMb ?? 256,
      fsync: options.fsync ?? 'always',
      ...(options.port === undefined ? {} : { port: options.port }),
    });
  let server = await start();
  return {
    url: server.url,
    folder,
    get pid() {
      return server.pid;
    },
    kill: () => server.kill(),
    async restart() {
      server = await start();
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs `use` with a fresh private server, stopped and removed afterwards. */
export async function withRedis<T>(
  use: (redis: TestRedis) => Promise<T>,
  options: TestRedisOptions = {},
): Promise<T> {
  const redis = await startTestRedis(options);
  try {
    return await use(redis);
  } finally {
    await redis.stop();
  }
}
