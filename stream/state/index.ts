export { memoryState } from './memory-state.ts';
export * from './port.ts';
export { type RedisStateOptions, redisState } from './redis/redis-state.ts';
