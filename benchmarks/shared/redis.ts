import { Redis } from 'ioredis';
import { startTestRedis } from '../../tests/support/redis.ts';

export interface BenchRedis {
  readonly url: string;
  readonly pid: number;
  /** Begins a rewrite of the append-only file. */
  rewrite(): Promise<void>;
  /** How many there were since it started. */
  rewrites(): Promise<number>;
}

/** A fresh Redis for one run. */
export async function withBenchRedis<T>(
  fsync: 'always' | 'everysec',
  use: (redis: BenchRedis) => Promise<T>,
): Promise<T> {
  const server = await startTestRedis({ maxmemoryMb: 8_192, fsync });
  const client = new Redis(server.url);
  try {
    return await use({
      url: server.url,
      pid: server.pid,
      async rewrite() {
        // One that began by itself does as well.
        await client.bgrewriteaof().catch((error: Error) => {
          if (!error.message.includes('in progress')) throw error;
        });
      },
      rewrites: async () => Number((await client.info('all')).match(/aof_rewrites:(\d+)/)?.[1] ?? 0),
    });
  } finally {
    client.disconnect();
    await server.stop();
  }
}

/** Waits for `work`, and rewrites the append-only file in the midst of it if it takes longer than a few seconds. */
export async function rewritingDuring<T>(redis: BenchRedis, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => {
    redis.rewrite().catch((error: Error) => console.error(`No rewrite in the midst of it: ${error.message}`));
  }, 3_000);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
