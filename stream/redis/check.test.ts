import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { withRedis } from '../../tests/support/redis.ts';
import { checkLogServer, redisConnector } from './index.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

describe('a Redis that somebody else runs', () => {
  it('may hold the log when it keeps and never evicts', async () => {
    await withRedis(async ({ url }) => {
      expect(await checkLogServer(redisConnector(url), clock)).toEqual({ unknown: [] });
    });
  });

  it('is refused with every setting to change, in one sentence', async () => {
    await withRedis(
      async ({ url }) => {
        const admin = new Redis(url);
        await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
        admin.disconnect();
        await expect(checkLogServer(redisConnector(url), clock)).rejects.toMatchObject({
          code: 'redis_unsafe',
          message: expect.stringMatching(/needs maxmemory-policy noeviction, appendfsync always\./),
        });
      },
      { fsync: 'everysec' },
    );
  });
});
