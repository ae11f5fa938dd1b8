import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { withRedis } from '../../tests/support/redis.ts';
import { checkServer, redisConnector } from './index.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

describe('a Redis that somebody else runs', () => {
  it('may hold the log when it keeps and never evicts', async () => {
    await withRedis(async ({ url }) => {
      expect(await checkServer(redisConnector(url), clock, { holdsLog: true })).toEqual({ unknown: [] });
    });
  });

  it('may sync once a second where the log is elsewhere, but not leave it to the system', async () => {
    await withRedis(
      async ({ url }) => {
        const check = () => checkServer(redisConnector(url), clock, { holdsLog: false });
        expect(await check()).toEqual({ unknown: [] });
        const admin = new Redis(url);
        await admin.config('SET', 'appendfsync', 'no');
        admin.disconnect();
        await expect(check()).rejects.toMatchObject({
          code: 'redis_unsafe',
          message: expect.stringContaining('needs appendfsync everysec (or always).'),
        });
      },
      { fsync: 'everysec' },
    );
  });

  it('is refused with every setting to change, in one sentence', async () => {
    await withRedis(
      async ({ url }) => {
        const admin = new Redis(url);
        await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
        admin.disconnect();
        await expect(checkServer(redisConnector(url), clock, { holdsLog: true })).rejects.toMatchObject({
          code: 'redis_unsafe',
          message: expect.stringMatching(/needs maxmemory-policy noeviction, appendfsync always\./),
        });
      },
      { fsync: 'everysec' },
    );
  });
});
