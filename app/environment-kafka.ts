import { readFileSync } from 'node:fs';
import { PresageError } from '../core/index.ts';
import type { KafkaConnection, TopicSettings } from '../stream/log/index.ts';

/** Kafka as the log, by KAFKA_ variables (docs/kafka.md lists them). */
export interface KafkaEnvironment {
  readonly connection: KafkaConnection;
  readonly prefix: string;
  readonly topic: TopicSettings;
}

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
const hourMs = 3_600_000;

/** Null without KAFKA_BROKERS. Throws PresageError `environment_invalid` with the variable and what it may be. */
export function readKafka(env: NodeJS.ProcessEnv): KafkaEnvironment | null {
  const brokers = (env.KAFKA_BROKERS ?? '')
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  if (brokers.length === 0) return null;
  const odd = brokers.find((broker) => !/^[^\s/]+:\d+$/.test(broker));
  if (odd !== undefined) throw invalid('KAFKA_BROKERS', odd, 'host:port, several separated by commas');
  const ssl = readTls(env);
  const sasl = readSasl(env);
  const replicationFactor = readNumber(env, 'KAFKA_REPLICATION_FACTOR');
  const retentionHours = readNumber(env, 'KAFKA_RETENTION_HOURS');
  const retentionBytes = readNumber(env, 'KAFKA_RETENTION_BYTES');
  return {
    connection: {
      brokers,
      ...(env.KAFKA_CLIENT_ID ? { clientId: env.KAFKA_CLIENT_ID } : {}),
      ...(ssl === undefined ? {} : { ssl }),
      ...(sasl === undefined ? {} : { sasl }),
    },
    prefix: env.KAFKA_TOPIC_PREFIX ?? 'presage.',
    topic: {
      ...(replicationFactor === undefined ? {} : { replicationFactor }),
      ...(retentionHours === undefined ? {} : { retentionMs: retentionHours * hourMs }),
      ...(retentionBytes === undefined ? {} : { retentionBytes }),
    },
  };
}

function readTls(env: NodeJS.ProcessEnv): KafkaConnection['ssl'] {
  const files = { ca: env.KAFKA_TLS_CA, cert: env.KAFKA_TLS_CERT, key: env.KAFKA_TLS_KEY };
  const named = Object.entries(files).filter(([, path]) => path !== undefined && path !== '');
  if (named.length > 0)
    return Object.fromEntries(
      named.map(([name, path]) => [name, readPem(`KAFKA_TLS_${name.toUpperCase()}`, path as string)]),
    );
  const wanted = env.KAFKA_TLS ?? '';
  if (wanted === '' || wanted === 'false') return undefined;
  if (wanted === 'true') return true;
  throw invalid('KAFKA_TLS', wanted, 'true or false');
}

function readPem(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new PresageError('environment_invalid', `${variable} names ${path}, which can't be read.`, {
      cause,
    });
  }
}

function readSasl(env: NodeJS.ProcessEnv): KafkaConnection['sasl'] {
  const { KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = env;
  const given = env.KAFKA_SASL_MECHANISM?.toLowerCase() ?? '';
  if (given === '' && !username) return undefined;
  const mechanism = mechanisms.find((name) => name === (given || 'plain'));
  if (mechanism === undefined) throw invalid('KAFKA_SASL_MECHANISM', given, mechanisms.join(', '));
  if (!username || !password)
    throw new PresageError(
      'environment_invalid',
      'SASL needs both KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD.',
    );
  return { mechanism, username, password } as KafkaConnection['sasl'];
}

function readNumber(env: NodeJS.ProcessEnv, variable: string): number | undefined {
  const text = env[variable];
  if (text === undefined || text === '') return undefined;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw invalid(variable, text, 'a whole number from 1 on');
  return number;
}

const invalid = (variable: string, value: string, wanted: string): PresageError =>
  new PresageError('environment_invalid', `${variable} is "${value}"; it can be ${wanted}.`);
