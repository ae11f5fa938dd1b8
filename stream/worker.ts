import { type Health, messageOf, PresageError, type Role } from '../core/index.ts';
import type { PartitionReader, Subscription } from './log/port.ts';
import { runPartition } from './partition-runner.ts';
import { forgetProgress, makeProgress, measureProgress, type Progress } from './progress.ts';
import type { PartitionHead } from './state/port.ts';
import type { WorkerParts } from './worker-parts.ts';

export type { CommittedBatch, WorkerParts } from './worker-parts.ts';

interface Run {
  isActive: boolean;
  done: Promise<void>;
  readonly progress: Progress;
}

/** How often lag and watermarks are measured: a question to the log for each partition. */
const measureEveryMs = 2_000;

const defaultBackoffMs = { first: 50, most: 2_000 };

/**
 * The stream role: runs each partition that the log assigns, each by itself. One that fails drops its memory and
 * begins again from the committed state, while the others go on. One that is revoked ends without being waited for:
 * whoever takes it over is protected by the commit chain, which fences what comes too late.
 */
export function makeWorker(parts: WorkerParts): Role {
  const backoffMs = parts.backoffMs ?? defaultBackoffMs;
  const heads = new Map<number, PartitionHead>();
  const runs = new Map<number, Run>();
  const progresses = new Map<number, Progress>();
  /** Partitions that ended a run and have not got further since, and why: beginning again is no recovery. */
  const troubles = new Map<number, string>();
  /** Milliseconds until a partition begins again, should it fail next. */
  const waits = new Map<number, number>();
  let stopping = new AbortController();
  let done: Promise<void> = Promise.resolve();
  let outside: Health = { state: 'starting', why: 'not started yet' };

  async function measure(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // A log out of reach is told of by what reads it; gauges keep what was last known.
      await measureProgress(progresses, parts.log, parts.clock, parts.metrics).catch(() => {});
      await pause(measureEveryMs, signal);
    }
  }

  async function work(signal: AbortSignal): Promise<void> {
    let wait = backoffMs.first;
    while (!signal.aborted) {
      try {
        await follow(signal);
      } catch (error) {
        outside = { state: 'degraded', why: messageOf(error) };
        parts.metrics.restarts.inc();
        parts.logger.warn(
          { err: messageOf(error), retryInMs: wait },
          'The stream worker can not read the log yet',
        );
        await pause(wait, signal);
        wait = Math.min(wait * 2, backoffMs.most);
      }
    }
  }

  /** One subscription, until the worker is stopped. */
  async function follow(signal: AbortSignal): Promise<void> {
    const begun = new Set<Promise<void>>();
    let subscription: Subscription | null = null;
    let hasSubscribed: (subscription: Subscription | null) => void = () => {};
    const subscribed = new Promise<Subscription | null>((resolve) => {
      hasSubscribed = resolve;
    });
    try {
      subscription = await parts.log.subscribe({
        group: 'stream',
        startAt: async (partition) => {
          const head = await parts.store.head(partition);
          heads.set(partition, head);
          return head.position;
        },
        onAssigned: (reader) => {
          // A partition may fail before the last one has been assigned.
          const restart = async (partition: number): Promise<void> => (await subscribed)?.restart(partition);
          const run = begin(reader, signal, restart);
          begun.add(run.done);
          void run.done.then(() => begun.delete(run.done));
        },
        onRevoked: (partition) => {
          end(partition);
          troubles.delete(partition);
          parts.metrics.lostPositions.set({ partition: String(partition) }, 0);
        },
      });
      hasSubscribed(subscription);
      outside = { state: 'ok' };
      await aborted(signal);
    } finally {
      for (const partition of [...runs.keys()]) end(partition);
      // Where there came none, those that wait for it to begin again are told so: they are waited for below.
      hasSubscribed(subscription);
      await subscription?.stop();
      await Promise.all(begun);
    }
  }

  function end(partition: number): void {
    const run = runs.get(partition);
    if (run === undefined) return;
    run.isActive = false;
    runs.delete(partition);
    progresses.delete(partition);
    forgetProgress(partition, run.progress, parts.metrics);
  }

  function begin(
    reader: PartitionReader,
    signal: AbortSignal,
    restart: (partition: number) => Promise<void>,
  ): Run {
    const { partition } = reader;
    end(partition);
    const progress = makeProgress(heads.get(partition)?.position ?? 0);
    const run: Run = { isActive: true, done: Promise.resolve(), progress };
    runs.set(partition, run);
    progresses.set(partition, progress);
    const isCurrent = (): boolean => run.isActive && !signal.aborted;
    let failure: { readonly error: unknown } | null = null;
    const fail = (error: unknown): void => {
      failure ??= { error };
      run.isActive = false;
    };

    async function live(): Promise<void> {
      try {
        const head = heads.get(partition);
        if (head === undefined) throw new Error(`Partition ${partition} was assigned without a head.`);
        await runPartition(parts, {
          reader,
          head,
          progress,
          isActive: isCurrent,
          onProgress: () => {
            if (isCurrent()) recovered(partition);
          },
          onFailure: fail,
        });
      } catch (error) {
        fail(error);
      }
      if (failure !== null) await beginAgain(failure.error);
    }

    async function beginAgain(cause: unknown): Promise<void> {
      let error = cause;
      // Revoked or replaced meanwhile: whoever has the partition now looks after it.
      const isOurs = (): boolean => runs.get(partition) === run && !signal.aborted;
      while (isOurs()) {
        const wait = waits.get(partition) ?? backoffMs.first;
        waits.set(partition, Math.min(wait * 2, backoffMs.most));
        tell(partition, error, wait);
        await pause(wait, signal);
        if (!isOurs()) return;
        try {
          await restart(partition);
          return;
        } catch (again) {
          error = again;
        }
      }
    }

    run.done = live();
    return run;
  }

  function tell(partition: number, error: unknown, retryInMs: number): void {
    const why = messageOf(error);
    const isLost = error instanceof PresageError && error.code === 'log_position_lost';
    // The same trouble again, after beginning again, is no news.
    const isNews = troubles.get(partition) !== why;
    troubles.set(partition, why);
    parts.metrics.restarts.inc();
    parts.metrics.lostPositions.set({ partition: String(partition) }, isLost ? 1 : 0);
    if (!isNews) return;
    if (isLost)
      parts.logger.error({ partition, err: why }, 'A partition stands still until its state is rebuilt');
    else
      parts.logger.warn(
        { partition, err: why, retryInMs },
        'A partition begins again from the committed state',
      );
  }

  function recovered(partition: number): void {
    waits.delete(partition);
    if (!troubles.delete(partition)) return;
    parts.metrics.lostPositions.set({ partition: String(partition) }, 0);
  }

  function health(): Health {
    if (outside.state !== 'ok') return outside;
    if (troubles.size === 0) return outside;
    const whys = [...troubles].map(([partition, why]) => `partition ${partition}: ${why}`);
    return { state: 'degraded', why: whys.join(' ') };
  }

  return {
    name: 'stream',
    start: async () => {
      stopping = new AbortController();
      troubles.clear();
      waits.clear();
      done = Promise.all([work(stopping.signal), measure(stopping.signal)]).then(() => {});
    },
    stop: async () => {
      stopping.abort();
      await done;
      outside = { state: 'down', why: 'stopped' };
    },
    health,
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const wake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener('abort', wake, { once: true });
  });
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
