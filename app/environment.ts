import { homedir } from 'node:os';
import { join } from 'node:path';
import { PresageError } from '../core/index.ts';
import { type SubjectStrategy, subjectStrategies } from '../stream/schemas/subjects.ts';
import { type KafkaEnvironment, readKafka } from './environment-kafka.ts';

/** All that Presage reads from the environment, in one place. */
export interface Environment {
  /** A Redis of your own instead of the private one. */
  readonly redisUrl: string | null;
  /** A Redis for jobs (what waits: reviews), where the one of state has no second database for them. */
  readonly jobsRedisUrl: string | null;
  /** A ClickHouse server instead of the embedded one. */
  readonly clickhouseUrl: string | null;
  /** A Confluent-compatible schema registry; variables are named as Confluent's own tools name their settings. */
  readonly schemaRegistry: {
    readonly url: string | null;
    /** `user:password` of basic authentication. */
    readonly userInfo: string | null;
    /** Paths of PEM files: what to trust, and the client's own certificate and key. */
    readonly ca: string | null;
    readonly certificate: string | null;
    readonly key: string | null;
    /** How subjects are named. */
    readonly strategy: SubjectStrategy;
  };
  /** Kafka as the log instead of Redis Streams. */
  readonly kafka: KafkaEnvironment | null;
  readonly logLevel: string;
  readonly path: string;
  /** Where running instances leave their address and credential. */
  readonly stateFolder: string;
  readonly isCi: boolean;
  readonly isRoot: boolean;
  readonly isTerminal: boolean;
}

export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const isTerminal = process.stdout.isTTY === true && process.stdin.isTTY === true;
  return {
    redisUrl: env.REDIS_URL || null,
    jobsRedisUrl: env.JOBS_REDIS_URL || null,
    clickhouseUrl: env.CLICKHOUSE_URL || null,
    kafka: readKafka(env),
    schemaRegistry: {
      url: env.SCHEMA_REGISTRY_URL || null,
      userInfo: env.SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO || null,
      ca: env.SCHEMA_REGISTRY_SSL_CA_LOCATION || null,
      certificate: env.SCHEMA_REGISTRY_SSL_CERTIFICATE_LOCATION || null,
      key: env.SCHEMA_REGISTRY_SSL_KEY_LOCATION || null,
      strategy: readStrategy(env.SCHEMA_REGISTRY_SUBJECT_STRATEGY),
    },
    // A person at a terminal reads the banner; what collects logs wants them all.
    logLevel: env.PRESAGE_LOG_LEVEL || (isTerminal ? 'warn' : 'info'),
    path: env.PATH ?? '',
    stateFolder: join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'presage'),
    isCi: env.CI === 'true',
    isRoot: process.getuid?.() === 0,
    isTerminal,
  };
}

function readStrategy(name: string | undefined): SubjectStrategy {
  const found = subjectStrategies.find((strategy) => strategy === (name || subjectStrategies[0]));
  if (found !== undefined) return found;
  throw new PresageError(
    'environment_invalid',
    `SCHEMA_REGISTRY_SUBJECT_STRATEGY is "${name}": expected one of ${subjectStrategies.join(', ')}.`,
  );
}
