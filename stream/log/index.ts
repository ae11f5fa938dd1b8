export {
  type ExternalBatch,
  type ExternalTopics,
  kafkaTopics,
} from './kafka/external-topics.ts';
export { kafkaLog } from './kafka/kafka-log.ts';
export type { KafkaConnection, KafkaLogOptions, TopicSettings } from './kafka/options.ts';
export { isLogTopic, logTopic } from './kafka/topic.ts';
export * from './memory-log.ts';
export * from './port.ts';
export { recordOf, SharedRecord } from './record.ts';
export { type RedisStreamsLogOptions, redisStreamsLog } from './redis/redis-log.ts';
export { shiftedLog } from './shifted-log.ts';
export * from './versions.ts';
