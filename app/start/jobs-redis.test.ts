import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisConnector } from '../../stream/redis/index.ts';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { readEnvironment } from '../environment.ts';
import { openJobsRedis } from './jobs-redis.ts';

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

const open = (env: NodeJS.ProcessEnv) => openJobsRedis(readEnvironment(env), redisConnector(server.url));

describe('the database of jobs', () => {
  it("is another one of the state's Redis", async () => {
    const { connect, connectPatiently } = await open({});
    const connections = [connect('one'), connectPatiently('two')];
    for (const redis of connections) redis.on('error', () => {});
    const state = new Redis(server.url);
    try {
      await connections[1]?.set('job', '1');
      expect(await state.get('job')).toBeNull();
      expect(connections.map(({ options }) => options.db)).toEqual([1, 1]);
    } finally {
      for (const redis of [...connections, state]) redis.disconnect();
    }
  });

  it('is a Redis of its own where one is named, which must not evict', async () => {
    const own = await startTestRedis();
    const redis = new Redis(own.url);
    try {
      const { connect } = await open({ JOBS_REDIS_URL: own.url });
      const jobs = connect('one');
      expect(jobs.options.db).toBe(0);
      jobs.disconnect();
      await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await expect(open({ JOBS_REDIS_URL: own.url })).rejects.toMatchObject({ code: 'redis_unsafe' });
    } finally {
      redis.disconnect();
      await own.stop();
    }
  });

  it('is asked for where REDIS_URL names the only one there may be', async () => {
    await expect(open({ REDIS_URL: 'redis://127.0.0.1:6379/2' })).rejects.toMatchObject({
      code: 'environment_invalid',
      message: expect.stringContaining('JOBS_REDIS_URL'),
    });
  });
});
