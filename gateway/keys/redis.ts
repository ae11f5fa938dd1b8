import type { Redis } from 'ioredis';
import { messageOf, PresageError } from '../../core/index.ts';
import type { KeyStorage } from './storage.ts';

const where = 'presage:keys';

/**
 * KEYS[1] the hash of keys; ARGV[1] field, ARGV[2] expected value, ARGV[3] next value ('' removes).
 * Returns 1 when it was replaced, 0 when another value was there.
 */
const swapScript = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) end
return 1`;

/** Keys in one Redis hash, shared by all processes of an instance. The client stays the caller's to close. */
export function redisKeyStorage(redis: Redis): KeyStorage {
  const asked = async <T>(command: () => Promise<T>): Promise<T> => {
    try {
      return await command();
    } catch (error) {
      throw new PresageError('keys_unavailable', `Keys can't be read from Redis now: ${messageOf(error)}`, {
        retriable: true,
        cause: error,
      });
    }
  };
  return {
    get: (hash) => asked(() => redis.hget(where, hash)),
    all: () => asked(async () => new Map(Object.entries(await redis.hgetall(where)))),
    add: (hash, value) => asked(async () => (await redis.hsetnx(where, hash, value)) === 1),
    swap: (hash, expected, next) =>
      asked(async () => (await redis.eval(swapScript, 1, where, hash, expected, next ?? '')) === 1),
  };
}
