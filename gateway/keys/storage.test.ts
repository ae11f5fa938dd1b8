import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { memoryKeyStorage } from './memory.ts';
import { redisKeyStorage } from './redis.ts';
import { keyStorageContract } from './storage.contract.ts';

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url, { maxRetriesPerRequest: 0, enableOfflineQueue: false, lazyConnect: true });
  redis.on('error', () => {});
  await redis.connect();
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

keyStorageContract('memory', async () => memoryKeyStorage());
keyStorageContract('redis', async () => {
  await redis.flushall();
  return redisKeyStorage(redis);
});

describe('a Redis that is away', () => {
  it('is told as keys_unavailable, which a retry can help', async () => {
    await server.kill();
    await expect(redisKeyStorage(redis).get('h')).rejects.toMatchObject({
      code: 'keys_unavailable',
      retriable: true,
    });
  });
});
