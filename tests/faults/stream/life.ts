import type { Clock, Logger } from '../../../core/index.ts';
import { type EventLog, redisStreamsLog } from '../../../stream/log/index.ts';
import { redisConnector } from '../../../stream/redis/index.ts';

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
  /** null: the log is in Redis. */
  readonly brokers: readonly string[] | null;
  readonly partitions: number;
  readonly workspace: string;
  readonly outFile: string;
  readonly batchRecords: number;
  /** End by itself once everything is processed; else on SIGTERM. */
  readonly untilDone: boolean;
  readonly dieAt: { readonly point: (typeof points)[number]; readonly after: number } | null;
}

export async function openLog(
  life: Pick<Life, 'redis' | 'brokers' | 'partitions'>,
  clock: Clock,
): Promise<EventLog> {
  if (life.brokers === null) {
    const connector = redisConnector(life.redis);
    return redisStreamsLog({ connector, version: 1, partitions: life.partitions, clock });
  }
  throw new Error('kafka comes next');
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
