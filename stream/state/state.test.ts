import { Redis } from 'ioredis';
import { startTestRedis } from '../../tests/support/redis.ts';
import { redisConnector } from '../redis/index.ts';
import { memoryState, redisState } from './index.ts';
import { stateContract } from './state.contract.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

stateContract('memory', async () => ({
  fresh: async () => memoryState({ clock }),
  stop: async () => {},
}));

stateContract('Redis', async () => {
  const server = await startTestRedis({ fsync: 'everysec' });
  const connector = redisConnector(server.url);
  const admin = new Redis(server.url);
  return {
    async fresh() {
      await admin.flushall();
      return redisState({ connector, version: 1, clock });
    },
    async stop() {
      admin.disconnect();
      await server.stop();
    },
  };
});
