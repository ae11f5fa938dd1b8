import { DelayedError, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { type Health, type Logger, messageOf, PresageError } from '../core/index.ts';

/** Opens a connection to the database of jobs. `purpose` names it in Redis's CLIENT LIST. */
export type ConnectJobs = (purpose: string) => Redis;

export interface DeadlineParts {
  readonly name: string;
  readonly connect: ConnectJobs;
  readonly now: () => number;
  readonly logger: Logger;
  /**
   * Called when it is time for `id`, in one process however many there are, and again if that process dies of it or it
   * throws. Returns when to be called next; null: never more.
   */
  readonly due: (id: string) => Promise<number | null>;
}

/** Deadlines by id, kept in Redis: they survive restarts, and each is met at least once. */
export interface Deadlines {
  /** Once for each id; again is harmless. Throws `jobs_unavailable`, retriable. */
  set(id: string, at: number): Promise<void>;
  /** It needs no looking after any more. */
  drop(id: string): Promise<void>;
  start(): void;
  stop(): Promise<void>;
  health(): Health;
}

/**
 * What BullMQ needs of its connections: it waits for Redis by itself, for as long as it takes. Its commands may be sent
 * again; one that is neither sent again nor failed would be waited for for ever.
 */
export const patient = {
  maxRetriesPerRequest: null,
  enableOfflineQueue: true,
  autoResendUnfulfilledCommands: true,
} as const;

const bullPrefix = '{presage:jobs}';
/** One that throws is tried again for about a day; whoever set it sees to it that nothing hangs on it alone. */
const retries = { attempts: 3_000, backoff: { type: 'fixed', delay: 30_000 } } as const;
const keptFailures = 100;
/** A server that is gone must not keep a program from ending. */
const closeWithinMs = 5_000;
const answerWithinMs = 5_000;

interface DeadlineData {
  readonly id: string;
}

/** Deadlines as delayed jobs of BullMQ. */
export function makeDeadlines({ name, connect, now, logger, due }: DeadlineParts): Deadlines {
  const connections = [connect(`${name}-queue`), connect(`${name}-worker`)] as const;
  let trouble: string | null = null;
  const onError = (error: unknown): void => {
    trouble = messageOf(error);
  };
  for (const connection of connections) {
    connection.on('error', onError);
    connection.on('ready', () => {
      trouble = null;
    });
  }
  const queue = new Queue<DeadlineData>(name, {
    connection: connections[0],
    prefix: bullPrefix,
    defaultJobOptions: { ...retries, removeOnComplete: true, removeOnFail: { count: keptFailures } },
  });
  queue.on('error', onError);
  let worker: Worker<DeadlineData> | null = null;

  return {
    async set(id, at) {
      await inTime(queue.add('deadline', { id }, { jobId: id, delay: Math.max(0, at - now()) }));
    },
    async drop(id) {
      await inTime(queue.remove(id));
    },
    start() {
      worker = new Worker<DeadlineData>(
        name,
        async (job, token) => {
          const next = await due(job.data.id);
          if (next === null) return;
          await job.moveToDelayed(Math.max(next, now() + 1), token);
          throw new DelayedError();
        },
        { connection: connections[1], prefix: bullPrefix, concurrency: 8 },
      );
      worker.on('error', onError);
      worker.on('completed', () => {
        trouble = null;
      });
      worker.on('failed', (job, error) => {
        logger.warn({ id: job?.data.id, error: messageOf(error) }, 'A deadline could not be met yet');
      });
    },
    async stop() {
      await within(worker?.close() ?? Promise.resolve(), () => worker?.close(true) ?? Promise.resolve());
      worker = null;
      await within(queue.close(), async () => {});
      for (const connection of connections) connection.disconnect();
    },
    health: () => (trouble === null ? { state: 'ok' } : { state: 'degraded', why: trouble }),
  };
}

/** BullMQ waits for Redis for ever; whoever sets a deadline does not, and sets it again. */
async function inTime(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new PresageError('jobs_unavailable', 'The Redis of jobs does not answer.', { retriable: true }),
        ),
      answerWithinMs,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}

async function within(closing: Promise<unknown>, force: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), closeWithinMs);
  });
  try {
    if ((await Promise.race([closing, late])) === 'late') void force().catch(() => {});
  } catch {
    // It is gone, which is what was wanted.
  } finally {
    clearTimeout(timer);
    closing.catch(() => {});
  }
}
