import { type Clock, type Health, type Logger, messageOf, PresageError, type Role } from '../core/index.ts';
import type { CompiledWorkspace } from '../workspace/index.ts';
import type { FeatureSet } from './features/port.ts';
import type { EventLog, PartitionReader, Subscription } from './log/port.ts';
import type { StreamMetrics } from './metrics.ts';
import { decodePartitionState } from './partition-state.ts';
import { processBatch } from './process.ts';
import { commitOf } from './publish.ts';
import { limits } from './state/limits.ts';
import type { Commit, PartitionHead, StateStore } from './state/port.ts';
import { SubjectCache } from './subjects.ts';
import { type TopologyParts, topology } from './topology.ts';

export interface WorkerParts extends TopologyParts {
  readonly log: EventLog;
  readonly store: StateStore;
  readonly features: FeatureSet;
  readonly metrics: StreamMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
  /** A fresh random id per commit. */
  readonly newId: () => string;
  /** Milliseconds before beginning again after an error: the first time, and at most. */
  readonly backoffMs?: { readonly first: number; readonly most: number };
  /** Tells observers (live view, throughput) of each committed batch; must not throw. */
  readonly onCommitted?: (summary: CommittedBatch) => void;
}

export interface CommittedBatch {
  readonly partition: number;
  readonly records: number;
  readonly decisions: number;
  /** Append time of the batch's oldest record, and when its commit was acknowledged. */
  readonly oldestAppendedAt: number;
  readonly committedAt: number;
}

/** Records of one batch: bounds memory, blobs per commit and how long a decision can wait behind others. */
const mostRecords = 1_000;
/** How long a reader waits when the log is quiet; work that is there is taken at once. */
const idleWaitMs = 500;
const cachedSubjects = 20_000;
const defaultBackoffMs = { first: 50, most: 2_000 };

/** Fewer where an event type starts many decisions, so that all of them fit in one commit, beside the batch's report. */
function recordsPerBatch({ triggersByType }: CompiledWorkspace): number {
  const decisions = Math.max(1, ...[...triggersByType.values()].map((triggers) => triggers.length));
  return Math.max(1, Math.min(mostRecords, Math.floor((limits.outboxItems - 1) / decisions)));
}

/**
 * The stream role: reads each partition in order, and for each batch makes the one atomic commit. While a commit is in
 * flight the next batch is being prepared on top of it; it names the first as its predecessor, so it fails with it.
 * After any error the worker drops its memory and begins again from the committed state: memory only ever extends the
 * history it came from.
 */
export function makeWorker(parts: WorkerParts): Role {
  const backoffMs = parts.backoffMs ?? defaultBackoffMs;
  const batchRecords = recordsPerBatch(parts.workspace);
  let running = false;
  let done: Promise<void> = Promise.resolve();
  let health: Health = { state: 'starting', why: 'not started yet' };
  let interrupt: () => void = () => {};
  /** Partitions that ended a run and have not got further since: beginning again is no recovery. */
  const troubled = new Set<number>();

  function recovered(partition: number): void {
    if (troubled.delete(partition) && troubled.size === 0) health = { state: 'ok' };
  }

  async function run(): Promise<void> {
    let wait = backoffMs.first;
    while (running) {
      try {
        await runUntilStopped(() => {
          wait = backoffMs.first;
        });
      } catch (error) {
        health = { state: 'degraded', why: messageOf(error) };
        parts.metrics.restarts.inc();
        parts.logger.warn(
          { err: messageOf(error), retryInMs: wait },
          'The stream worker begins again from the committed state',
        );
        await pause(wait);
        wait = Math.min(wait * 2, backoffMs.most);
      }
    }
  }

  async function runUntilStopped(onProgress: () => void): Promise<void> {
    const runners = new Set<Promise<void>>();
    let fail: (error: unknown) => void = () => {};
    const failed = new Promise<void>((_resolve, reject) => {
      fail = reject;
    });
    failed.catch(() => {});
    let active = true;
    const stopped = new Promise<void>((resolve) => {
      interrupt = resolve;
    });
    const heads = new Map<number, PartitionHead>();
    let subscription: Subscription | null = null;
    try {
      subscription = await parts.log.subscribe({
        group: 'stream',
        startAt: async (partition) => {
          const head = await parts.store.head(partition);
          heads.set(partition, head);
          return head.position;
        },
        onAssigned: (reader) => {
          const head = heads.get(reader.partition);
          if (head === undefined)
            return fail(new Error(`Partition ${reader.partition} was assigned without a head.`));
          const runner = runPartition(reader, head, () => active && running, onProgress, fail).catch(
            (error) => {
              troubled.add(reader.partition);
              fail(error);
            },
          );
          runners.add(runner);
        },
        onRevoked: () => {
          // The commit chain fences whoever comes too late; nothing to drain in time.
        },
      });
      if (troubled.size === 0) health = { state: 'ok' };
      await Promise.race([stopped, failed]);
    } finally {
      active = false;
      await subscription?.stop();
      await Promise.allSettled(runners);
    }
    await Promise.race([failed, Promise.resolve()]);
  }

  async function runPartition(
    reader: PartitionReader,
    head: PartitionHead,
    isActive: () => boolean,
    onProgress: () => void,
    onFailure: (error: unknown) => void,
  ): Promise<void> {
    const { partition } = reader;
    const path = topology(parts, partition);
    const cache = new SubjectCache({
      store: parts.store,
      features: parts.features,
      partition,
      limit: cachedSubjects,
    });
    const partitionState = decodePartitionState(await parts.store.partitionState(partition));
    let previous = head.commitId;
    let inFlight: Promise<void> = Promise.resolve();
    try {
      while (isActive()) {
        const records = await reader.next(batchRecords, idleWaitMs);
        if (records.length === 0) {
          if (isActive()) recovered(partition);
          continue;
        }
        const batch = await processBatch(path, partition, records, cache, partitionState);
        const id = parts.newId();
        const { commit, outgrown } = commitOf(batch, parts.features, previous, id);
        for (const key of outgrown) {
          cache.reset(key);
          parts.metrics.outgrown.inc();
          parts.logger.error(
            { partition, subject: key },
            `The state of a subject grew over ${limits.blobBytes} bytes and begins anew. Lower the keys or buckets of its features.`,
          );
        }
        partitionState.changed = false;
        previous = id;
        await inFlight;
        cache.evict();
        inFlight = send(commit, batch);
        // A quiet log may bring no next batch to find the failure: it ends the run at once.
        inFlight.catch(onFailure);
      }
    } finally {
      await inFlight;
    }

    async function send(commit: Commit, batch: Awaited<ReturnType<typeof processBatch>>): Promise<void> {
      const begun = parts.clock.monotonic();
      const outcome = await parts.store.commit(partition, commit);
      if (outcome.kind === 'fenced') {
        parts.metrics.fences.inc();
        throw new PresageError(
          'fenced',
          `Partition ${partition} was committed by another worker up to position ${outcome.head.position}.`,
          { retriable: true },
        );
      }
      const now = parts.clock.now();
      const { metrics } = parts;
      const oldest = batch.records[0]?.appendedAt ?? now;
      metrics.commitSeconds.observe((parts.clock.monotonic() - begun) / 1_000);
      metrics.eventSeconds.observe(Math.max(0, now - oldest) / 1_000);
      metrics.batchRecords.observe(batch.records.length);
      metrics.events.inc(
        { result: 'new' },
        batch.records.length - batch.duplicates.length - batch.dead.length,
      );
      if (batch.duplicates.length > 0) metrics.events.inc({ result: 'duplicate' }, batch.duplicates.length);
      if (batch.dead.length > 0) metrics.events.inc({ result: 'dead' }, batch.dead.length);
      for (const { record } of batch.drafts)
        metrics.decisions.inc({ rung: record.rung, reason: record.rungReason });
      metrics.position.set({ partition: String(partition) }, commit.position);
      metrics.cachedSubjects.set({ partition: String(partition) }, cache.size);
      parts.onCommitted?.({
        partition,
        records: batch.records.length,
        decisions: batch.drafts.length,
        oldestAppendedAt: oldest,
        committedAt: now,
      });
      recovered(partition);
      onProgress();
    }
  }

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  return {
    name: 'stream',
    start: async () => {
      running = true;
      troubled.clear();
      done = run();
    },
    stop: async () => {
      running = false;
      interrupt();
      await done;
      health = { state: 'down', why: 'stopped' };
    },
    health: () => health,
  };
}
