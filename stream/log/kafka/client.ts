import type { AssignerProtocol, Kafka, LogEntry } from 'kafkajs';
import { type Logger, messageOf, PresageError } from '../../../core/index.ts';
import type { KafkaConnection } from './options.ts';
import { useRawFetch } from './raw-fetch.ts';

/** kafkajs tries so often before it gives up a request; above it, we try again with a new client. */
const retries = 3;

export interface KafkaClient {
  readonly kafka: Kafka;
  readonly encodings: typeof AssignerProtocol;
  /** The brokers, for error messages. */
  readonly where: string;
}

/**
 * A kafkajs client that tells its troubles to our logger, quietly: what matters is told by whoever called.
 */
export async function kafkaClient(connection: KafkaConnection, logger: Logger): Promise<KafkaClient> {
  // biome-ignore lint/correctness/useHookAtTopLevel: no hook of React, in spite of its name.
  const slowly = useRawFetch();
  if (slowly !== null) logger.info({ why: slowly }, 'Records from Kafka are decoded by kafkajs, slower');
  // Only now: fast decoding must be in place before kafkajs is loaded.
  const { AssignerProtocol, Kafka, logLevel } = (await import('kafkajs')).default;
  const kafka = new Kafka({
    clientId: connection.clientId ?? 'presage',
    brokers: [...connection.brokers],
    ...(connection.ssl === undefined ? {} : { ssl: connection.ssl }),
    ...(connection.sasl === undefined ? {} : { sasl: connection.sasl }),
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry: { retries, initialRetryTime: 100, maxRetryTime: 1_000 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => tell(logger, entry),
  });
  return { kafka, encodings: AssignerProtocol, where: connection.brokers.join(', ') };
}

function tell(logger: Logger, { log, namespace }: LogEntry): void {
  logger.debug({ namespace, err: log.error }, `kafkajs: ${log.message}`);
}

/** The error for Kafka out of reach, from whatever kafkajs threw. */
export function unavailable(where: string, what: string, error: unknown): PresageError {
  return new PresageError(
    'log_unavailable',
    `Could not ${what}: Kafka at ${where} says: ${messageOf(error)}`,
    {
      retriable: true,
      cause: error,
    },
  );
}
