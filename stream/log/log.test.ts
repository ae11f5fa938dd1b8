import { Redis } from 'ioredis';
import { startTestRedis } from '../../tests/support/redis.ts';
import { redisConnector } from '../redis/index.ts';
import { memoryLog, redisStreamsLog } from './index.ts';
import { logContract } from './log.contract.ts';

const clockOf = (now: () => number) => ({ now, monotonic: () => performance.now() });

logContract('memory', async () => ({
  fresh: async (now) => memoryLog({ partitions: 3, clock: clockOf(now) }),
  stop: async () => {},
}));

logContract('Redis Streams', async () => {
  const server = await startTestRedis({ fsync: 'everysec' });
  const connector = redisConnector(server.url);
  const admin = new Redis(server.url);
  return {
    async fresh(now) {
      await admin.flushall();
      return redisStreamsLog({ connector, version: 1, partitions: 3, clock: clockOf(now) });
    },
    async stop() {
      admin.disconnect();
      await server.stop();
    },
  };
});
