import { setTimeout as wait } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { type Clock, type Health, type Logger, messageOf, type Role } from '../../core/index.ts';
import type { EventLog, Subscription } from '../../stream/log/port.ts';
import type { StateStore } from '../../stream/state/port.ts';
import { sinkMetrics } from './metrics.ts';
import {
  beginning,
  type PartitionSink,
  type PartitionSinkParts,
  runPartitionSink,
  type SinkLimits,
} from './partition-sink.ts';
import type { Warehouse } from './port.ts';
import type { Progress } from './progress.ts';
import { turnOf } from './turn.ts';

export interface SinkParts {
  readonly log: EventLog;
  readonly store: StateStore;
  readonly warehouse: Warehouse;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly limits?: Partial<SinkLimits>;
  /** The log's first position: everything below it has passed, whichever partition it was in. Default 0. */
  readonly base?: () => number;
}

export interface Sink extends Role {
  /** The lowest outbox entry and log record of a partition that the sink still needs; null while it does not know. */
  needed(partition: number): { readonly outbox: number; readonly log: number } | null;
  /** Of every partition that it reads. */
  positions(): readonly { readonly partition: number; readonly outbox: number; readonly log: number }[];
  /** Whether everything that a log record led to is in ClickHouse. */
  passed(partition: number, logOffset: number): boolean;
  /** Resolves when the sink has passed all records below `ends[partition]`, or has been stopped. */
  untilPassed(ends: readonly number[]): Promise<void>;
}

const defaultLimits: SinkLimits = {
  entries: 2_000,
  events: 5_000,
  bytes: 4 * 1024 * 1024,
  flushMs: 250,
  mostPauseMs: 2_000,
  retryMs: { first: 100, most: 5_000 },
};

/** The sink role: keeps ClickHouse up with log and outbox, exactly once (partition-sink.ts says how). */
export function makeSink(parts: SinkParts): Sink {
  const limits = { ...defaultLimits, ...parts.limits };
  const logger = parts.logger.child({ role: 'sink' });
  const waiters = new Set<() => void>();
  const partitions = new Map<number, PartitionSink>();
  const known = new Map<number, Progress>();
  const partitionParts: PartitionSinkParts = {
    log: parts.log,
    store: parts.store,
    warehouse: parts.warehouse,
    clock: parts.clock,
    logger,
    metrics: sinkMetrics(parts.registry),
    limits,
    turn: turnOf(parts.clock),
    onProgress: () => notify(),
  };
  let stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let trouble: string | null = 'not started yet';
  let hasBegun = false;

  const progressOf = (partition: number): Progress | undefined =>
    partitions.get(partition)?.progress() ?? known.get(partition);

  function notify(): void {
    for (const wake of waiters) wake();
  }

  async function run(signal: AbortSignal): Promise<void> {
    let retryAfter = limits.retryMs.first;
    while (!signal.aborted) {
      try {
        await runOnce(signal);
        retryAfter = limits.retryMs.first;
      } catch (error) {
        trouble = messageOf(error);
        logger.warn({ error: trouble, retryInMs: retryAfter }, 'The sink can not begin yet');
        await wait(retryAfter, undefined, { signal }).catch(() => undefined);
        retryAfter = Math.min(limits.retryMs.most, retryAfter * 2);
      }
    }
  }

  /** One subscription, until the sink is stopped or a partition has to begin elsewhere. */
  async function runOnce(signal: AbortSignal): Promise<void> {
    let subscription: Subscription | null = null;
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    signal.addEventListener('abort', end, { once: true });
    const leaving = new Set<Promise<void>>();
    const leave = (partition: number): void => {
      const sink = partitions.get(partition);
      if (sink === undefined) return;
      known.set(partition, sink.progress());
      partitions.delete(partition);
      const left = sink.stop().finally(() => leaving.delete(left));
      leaving.add(left);
    };
    try {
      subscription = await parts.log.subscribe({
        group: 'sink',
        startAt: async (partition) => {
          const progress = await beginning(partitionParts, partition);
          known.set(partition, progress);
          return progress.log;
        },
        onAssigned: (reader) => {
          const from = known.get(reader.partition);
          if (from === undefined) return end();
          const sink = runPartitionSink(partitionParts, reader, from);
          partitions.set(reader.partition, sink);
          // A sink that begins where it already was has nothing to write that would tell whoever waits.
          notify();
          void sink.done.then((why) => why === 'rewound' && end());
        },
        onRevoked: leave,
      });
      trouble = null;
      hasBegun = true;
      if (!signal.aborted) await ended;
    } finally {
      signal.removeEventListener('abort', end);
      for (const partition of [...partitions.keys()]) leave(partition);
      await Promise.all(leaving);
      await subscription?.stop();
    }
  }

  function health(): Health {
    if (trouble !== null) return { state: hasBegun ? 'degraded' : 'starting', why: trouble };
    for (const [partition, sink] of partitions) {
      const problem = sink.trouble();
      if (problem !== null)
        return {
          state: problem.isFinal ? 'down' : 'degraded',
          why: `partition ${partition}: ${problem.why}`,
        };
    }
    return { state: 'ok' };
  }

  const passed = (partition: number, offset: number): boolean =>
    offset < (parts.base?.() ?? 0) || (progressOf(partition)?.log ?? 0) > offset;

  return {
    name: 'sink',
    async start() {
      stopping = new AbortController();
      known.clear();
      trouble = 'starting';
      running = run(stopping.signal);
    },
    async stop() {
      stopping.abort();
      await running;
      trouble = 'stopped';
      hasBegun = false;
      notify();
    },
    health,
    needed(partition) {
      const progress = progressOf(partition);
      return progress === undefined ? null : { outbox: progress.outbox, log: progress.log };
    },
    positions: () =>
      [...partitions].map(([partition, sink]) => ({
        partition,
        outbox: sink.progress().outbox,
        log: sink.progress().log,
      })),
    passed,
    untilPassed: (ends) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (
            !stopping.signal.aborted &&
            ends.some((end, partition) => end > 0 && !passed(partition, end - 1))
          )
            return;
          waiters.delete(check);
          resolve();
        };
        waiters.add(check);
        check();
      }),
  };
}
