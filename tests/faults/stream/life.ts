import type { Clock, Logger } from '../../../core/index.ts';
import { type EventLog, kafkaLog } from '../../../stream/log/index.ts';
import type { StateStore } from '../../../stream/state/index.ts';

/** Where a worker process can be told to kill itself. */
export const points = [
  'before the commit',
  'during the commit',
  'after the commit',
  'before the acknowledgement',
  'after the acknowledgement',
] as const;

/** What one worker process is told, as JSON. */
export interface Life {
  readonly redis: string;
  /** The log: topics of a Kafka broker whose names begin with `prefix`. */
  readonly kafka: { readonly broker: string; readonly prefix: string };
  readonly partitions: number;
  /** A worker that says nothing so long has its partitions taken away. */
  readonly sessionMs: number;
  readonly workspace: string;
  readonly outFile: string;
  readonly batchRecords: number;
  /**
   * Appends ticks where no events come. Two runs can be compared only over one log, so what is compared with has none of
   * its own.
   */
  readonly ticks: boolean;
  /** End by itself once everything is processed; else on SIGTERM. */
  readonly untilDone: boolean;
  readonly dieAt: { readonly point: (typeof points)[number]; readonly after: number } | null;
}

export const clock: Clock = { now: Date.now, monotonic: () => performance.now() };

export const openLog = (
  life: Pick<Life, 'kafka' | 'partitions' | 'sessionMs'>,
  clock: Clock,
  logger: Logger,
): Promise<EventLog> =>
  kafkaLog({
    connection: { brokers: [life.kafka.broker] },
    prefix: life.kafka.prefix,
    version: 1,
    partitions: life.partitions,
    clock,
    logger,
    timings: { sessionMs: life.sessionMs },
  });

export const readerName = 'fault-reader';

/** Whether everything in the log is processed, and everything in the outbox read and acknowledged. */
export async function isCaughtUp(log: EventLog, store: StateStore): Promise<boolean> {
  for (let partition = 0; partition < log.partitions; partition++) {
    const [{ end }, { position }, outbox, state] = await Promise.all([
      log.range(partition),
      store.head(partition),
      store.outboxRange(partition),
      store.readerState(partition, readerName),
    ]);
    const read = (JSON.parse(state ?? '{}') as { position?: number }).position ?? 0;
    if (position < end || read < outbox.end) return false;
  }
  return true;
}

/** Warnings and errors on standard error, so that a failing test shows them. */
export function consoleLogger(): Logger {
  const write =
    (level: string) =>
    (...parts: unknown[]): void => {
      process.stderr.write(`${level} ${parts.map((part) => JSON.stringify(part)).join(' ')}\n`);
    };
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: write('warn'),
    error: write('error'),
    child: () => logger,
  };
  return logger;
}
