import type { Registry } from 'prom-client';
import { type Logger, PresageError } from '../../core/index.ts';
import { type EventLog, kafkaLog, redisStreamsLog } from '../../stream/log/index.ts';
import { RedisCaller, type RedisConnector } from '../../stream/redis/index.ts';
import { systemClock } from '../clock.ts';
import type { KafkaEnvironment } from '../environment-kafka.ts';

export interface LogParts {
  readonly kafka: KafkaEnvironment | null;
  readonly connector: RedisConnector;
  readonly version: number;
  readonly partitions: number;
  readonly registry: Registry;
  readonly logger: Logger;
}

/** Beside it, how the log of each version is divided (stream/log/redis/redis-log.ts). */
const key = 'presage:log';
const redisIdentity = 'redis';

/**
 * Kafka where the environment names brokers, else Redis Streams; its first position is 0. Throws `log_changed`, and what
 * the adapters throw.
 */
export async function openLog(parts: LogParts): Promise<EventLog> {
  const { kafka, connector, version, partitions, registry, logger } = parts;
  const clock = systemClock;
  if (kafka === null) {
    const log = await redisStreamsLog({ connector, version, partitions, clock });
    return claimed(log, redisIdentity, parts);
  }
  const log = await kafkaLog({ ...kafka, version, partitions, clock, logger, registry });
  return claimed(log, log.identity, parts);
}

/** Positions in Redis mean nothing in another log: whoever comes first writes down which one it is. */
async function claimed(log: EventLog, identity: string, parts: LogParts): Promise<EventLog> {
  const { connector, version } = parts;
  const caller = new RedisCaller({
    connector,
    name: 'log',
    clock: systemClock,
    patienceMs: 10_000,
    commandTimeoutMs: 5_000,
  });
  const field = `v${version}:identity`;
  try {
    const known = await caller.call(
      async (redis) => {
        const written = await redis.hget(key, field);
        if (written !== null) return written;
        // State from before this was written down is of Redis Streams.
        const divided = await redis.hget(key, `v${version}`);
        await redis.hsetnx(key, field, divided === null ? identity : redisIdentity);
        return redis.hget(key, field);
      },
      { what: 'see which log the state is of', repeatable: true },
    );
    if (known === identity) return log;
    throw new PresageError(
      'log_changed',
      `The state in Redis at ${connector.where} was made from another log: ${nameOf(known)}, and now it is ${nameOf(identity)}. Start with the log it was made from, or with a Redis or data folder of its own.`,
    );
  } catch (error) {
    await log.close();
    throw error;
  } finally {
    caller.close();
  }
}

const nameOf = (identity: string | null): string =>
  identity === redisIdentity ? 'Redis Streams' : `Kafka (${identity?.replace(/^kafka:/, '')})`;
