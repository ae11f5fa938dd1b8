export * from './memory-log.ts';
export * from './port.ts';
export { recordOf, SharedRecord } from './record.ts';
export { type RedisStreamsLogOptions, redisStreamsLog } from './redis/redis-log.ts';
