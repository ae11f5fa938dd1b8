import { setTimeout as wait } from 'node:timers/promises';
import { PresageError } from '../core/index.ts';
import type { CompiledWorkspace } from '../workspace/index.ts';
import type { Batch } from './batch.ts';
import { type BatchFigures, figuresOf } from './figures.ts';
import type { LogRecord, PartitionReader } from './log/port.ts';
import { decodePartitionState } from './partition-state.ts';
import { processBatch } from './process.ts';
import type { Progress } from './progress.ts';
import { commitOf } from './publish.ts';
import { SharedPartition } from './shared/index.ts';
import { limits } from './state/limits.ts';
import type { Commit, CommitOutcome, PartitionHead } from './state/port.ts';
import { timerDecisionsPerBatch, timersPerBatch } from './steps/timers.ts';
import { SubjectCache } from './subjects.ts';
import { Horizon, type HorizonOthers } from './timers/horizon.ts';
import { makeTicker } from './timers/ticker.ts';
import { topology } from './topology.ts';
import type { WorkerParts } from './worker-parts.ts';

/** One partition, from the head it was assigned with until it is told to end or fails. */
export interface PartitionRun {
  readonly reader: PartitionReader;
  readonly head: PartitionHead;
  /** Kept up to date for those who watch. */
  readonly progress: Progress;
  isActive(): boolean;
  /** A commit was acknowledged, or the log was read and is quiet. */
  onProgress(): void;
  /** A commit failed while the next batch may still be waited for: ends the run at once. */
  onFailure(error: unknown): void;
}

/** Records of one batch: bounds memory, blobs per commit and how long a decision can wait behind others. */
const mostRecords = 2_000;
/** Commits of a partition on their way while there is lag; the store takes up to 8. */
const mostInFlight = 4;
/** How long a reader waits when the log is quiet; work that is there is taken at once. */
const idleWaitMs = 500;
/** Of one partition; what it comes to in memory is in docs/operations.md. */
const cacheLimits = { subjects: 20_000, bytes: 64 * 1024 * 1024 };
const stateSampledEvery = 16;

/** What timers may add to a commit: their decisions, those of the one subject that goes beyond, and who is forgotten. */
const timerItems = timerDecisionsPerBatch + 256 + timersPerBatch;

/** Fewer where an event may start many decisions, so that all of them fit in one commit, beside the batch's report. */
function recordsPerBatch({ triggersByType, triggers }: CompiledWorkspace, sharedGroups: number): number {
  const conditions = triggers.filter(({ kind }) => kind === 'condition').length;
  const byType = [...triggersByType.values()].map((some) => some.length);
  const decisions = Math.max(1, Math.max(0, ...byType) + conditions);
  const room = limits.outboxItems - 1 - timerItems;
  // Beside its decisions, one record may publish that it was moved, or bring caps.
  const byOutbox = Math.floor(room / (decisions + 1));
  // Each may change a blob of its subject, and one of each group of shared features.
  const byBlobs = Math.floor(limits.blobs / (1 + sharedGroups));
  return Math.max(1, Math.min(mostRecords, byOutbox, sharedGroups === 0 ? mostRecords : byBlobs));
}

/** Requests put those who have no state into the index of timers, to be forgotten in their time. */
const othersOf = ({ workspace, clock }: WorkerParts): HorizonOthers => ({
  afterMs: workspace.stateTtlMs,
  clock,
});

/**
 * Runs one partition with the engine of the generation that is in force, and goes on with the next one where the log says
 * that another comes into force.
 */
export async function runPartition(parts: WorkerParts, run: PartitionRun): Promise<void> {
  let { head } = run;
  let rest: readonly LogRecord[] = [];
  for (;;) {
    const engine =
      parts.engines === undefined ? parts : parts.engines.of(head.generation, await workspaceOf());
    if (engine === null)
      throw new PresageError(
        'generation_unknown',
        `Generation ${head.generation} of partition ${run.reader.partition} is not known here: its workspace is missing.`,
        { retriable: true },
      );
    const next = await runGeneration({ ...parts, ...engine }, { ...run, head }, rest);
    if (next === null) return;
    head = next.head;
    rest = next.rest;
  }

  async function workspaceOf() {
    return decodePartitionState(await parts.store.partitionState(run.reader.partition)).workspace;
  }
}

/** A generation of state, or a workspace on the state that there is. */
type Activated = number | 'workspace';

/** Where another generation goes on: its head, and records that were read already. */
interface Switched {
  readonly head: PartitionHead;
  readonly rest: readonly LogRecord[];
}

/**
 * Reads one partition in order, and for each batch makes the one atomic commit. While commits are in flight the
 * next batch is being prepared on top of them; each names the one before as its predecessor, so it fails with it. Throws after any
 * error; its memory is gone with it, for memory only ever extends the history it came from.
 */
async function runGeneration(
  parts: WorkerParts,
  run: PartitionRun,
  given: readonly LogRecord[],
): Promise<Switched | null> {
  const { reader, head } = run;
  const { partition } = reader;
  const batchRecords =
    parts.batchRecords ?? recordsPerBatch(parts.workspace, parts.shared?.groups.length ?? 0);
  const groups = parts.shared?.groups ?? [];
  const shared =
    groups.length === 0
      ? null
      : new SharedPartition({
          store: parts.store,
          partition,
          groups,
          onOutgrown: (key) => {
            parts.metrics.outgrown.inc();
            parts.logger.error(
              { partition, key },
              'Shared features of a shard grew over the size of a blob and begin anew. Lower their keys or buckets.',
            );
          },
        });
  const path = topology(parts, partition, shared);
  const cache = new SubjectCache({
    store: parts.store,
    features: parts.features,
    partition,
    limits: parts.cacheLimits ?? cacheLimits,
  });
  const partitionState = decodePartitionState(await parts.store.partitionState(partition));
  run.progress.watermarks = partitionState.watermarks;
  let previous = head.commitId;
  let stateSample = 0;
  let missesTold = 0;
  let pending = given;
  let activated: Activated | null = null;
  let nextBatchAt = 0;
  /** Commits on their way, oldest first. */
  const inFlight: Promise<void>[] = [];
  const horizon = path.hasTimers
    ? new Horizon({
        store: parts.store,
        partition,
        settled: () => settled(0),
        page: parts.timersPage,
        others: othersOf(parts),
      })
    : null;
  const tick =
    horizon === null
      ? null
      : makeTicker({
          ...parts,
          partition,
          horizon,
          delayMs: path.timerDelayMs,
          onTick: () => parts.metrics.ticks.inc(),
        });
  try {
    while (run.isActive()) {
      await tick?.(partitionState);
      const early = nextBatchAt - parts.clock.monotonic();
      if (early > 0) await wait(Math.min(early, parts.paceMs ?? 0));
      const records = pending.length > 0 ? pending : await reader.next(batchRecords, idleWaitMs);
      pending = [];
      if (records.length === 0) {
        await settled(0);
        // With nothing to commit, nothing else would tell that the store has gone back to an earlier state.
        const stored = await parts.store.head(partition);
        if (stored.commitId !== previous) throw fenced(stored);
        run.progress.caughtUpAt = parts.clock.now();
        if (run.isActive()) run.onProgress();
        continue;
      }
      // Without lag one commit is waited for, so that what arrives meanwhile shares the next.
      const hasLag = records.length >= batchRecords;
      const most = hasLag ? mostInFlight : 1;
      nextBatchAt = hasLag ? 0 : parts.clock.monotonic() + (parts.paceMs ?? 0);
      let rest: readonly LogRecord[] = records;
      while (rest.length > 0 && run.isActive()) {
        rest = await commitSome(rest, most);
        if (activated === null) continue;
        await settled(0);
        return { head: await parts.store.head(partition), rest };
      }
    }
  } finally {
    // All have an answer before anyone begins anew; then the first failure is this run's.
    await Promise.allSettled(inFlight);
    await settled(0);
  }
  return null;

  /** What comes into force with this batch; null: nothing does, or it is not ready. */
  async function activationOf({ activation, position }: Batch): Promise<Activated | null> {
    if (activation === null) return null;
    const { generation, workspace } = activation;
    const { engines } = parts;
    if (generation === null) {
      if (workspace === partitionState.workspace) return null;
      if (engines?.of(head.generation, workspace)?.workspace.hash === workspace) return 'workspace';
      parts.logger.warn(
        { partition, workspace, position },
        'Another workspace was to come into force, but is not known here: the one before goes on',
      );
      return null;
    }
    if (generation <= head.generation) return null;
    const isKnown = engines?.of(generation)?.workspace.hash === workspace;
    const { watermarks } = partitionState;
    if (isKnown && (await engines?.isReady(partition, generation, position, watermarks))) return generation;
    parts.logger.warn(
      { partition, generation, position },
      'Another generation of state was to come into force, but is not ready: the one before goes on',
    );
    return null;
  }

  function fenced({ position }: PartitionHead): PresageError {
    parts.metrics.fences.inc();
    return new PresageError(
      'fenced',
      `Partition ${partition} is at position ${position} by other commits than this worker's: another worker has it, or the state store went back in time.`,
      { retriable: true },
    );
  }

  /** Waits until at most so many commits are on their way. Throws if one failed: those behind it fail with it. */
  async function settled(most: number): Promise<void> {
    while (inFlight.length > most) await inFlight.shift();
  }

  /** Commits as many of the records as go into one batch; returns the others. */
  async function commitSome(records: readonly LogRecord[], most: number): Promise<readonly LogRecord[]> {
    const batch = await processBatch(path, partition, records, cache, partitionState, horizon);
    const id = parts.newId();
    activated = await activationOf(batch);
    if (activated === 'workspace' && batch.activation !== null) {
      partitionState.workspace = batch.activation.workspace;
      partitionState.changed = true;
    }
    const { commit, outgrown } = commitOf(batch, parts.features, previous, id);
    for (const [key, blob] of commit.blobs) {
      if (blob === null) continue;
      cache.resized(key, blob.length);
      if (stateSample++ % stateSampledEvery === 0) parts.metrics.stateBytes.observe(blob.length);
    }
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
    // What leaves memory must be in the store.
    await settled(cache.isOver ? 0 : most - 1);
    cache.evict();
    const sent = send(
      {
        ...commit,
        generation: head.generation,
        ...(typeof activated === 'number' ? { activate: activated } : {}),
      },
      batch,
    );
    inFlight.push(sent);
    // A quiet log may bring no next batch to find the failure: it ends the run at once.
    sent.catch(run.onFailure);
    return records.slice(batch.records.length);
  }

  /** What is told of a batch is all that is kept of it while its commit is on its way: its objects should die young. */
  function send(commit: Commit, batch: Batch): Promise<void> {
    const begun = parts.clock.monotonic();
    return settle(parts.store.commit(partition, commit), commit.position, figuresOf(batch), begun);
  }

  async function settle(
    answer: Promise<CommitOutcome>,
    position: number,
    batch: BatchFigures,
    begun: number,
  ): Promise<void> {
    const outcome = await answer;
    if (outcome.kind === 'fenced') throw fenced(outcome.head);
    const now = parts.clock.now();
    const { metrics } = parts;
    const oldest = batch.oldest ?? now;
    metrics.commitSeconds.observe((parts.clock.monotonic() - begun) / 1_000);
    metrics.eventSeconds.observe(Math.max(0, now - oldest) / 1_000);
    for (const [event, time] of [
      ['oldest', batch.oldestTime],
      ['newest', batch.newestTime],
    ] as const)
      if (Number.isFinite(time)) metrics.freshnessSeconds.observe({ event }, Math.max(0, now - time) / 1_000);
    metrics.batchRecords.observe(batch.records);
    if (batch.late > 0) metrics.lateEvents.inc(batch.late);
    if (batch.clamped > 0) metrics.clampedEvents.inc(batch.clamped);
    for (const code of batch.dead) metrics.deadLetters.inc({ code });
    run.progress.position = position;
    run.progress.appendedAt = batch.newest ?? now;
    for (const [result, count] of Object.entries(batch.results))
      if (count > 0) metrics.events.inc({ result }, count);
    for (const rung of batch.decisions) metrics.decisions.inc(rung);
    if (batch.timersFired > 0) metrics.timersFired.inc(batch.timersFired);
    if (batch.timersRefused > 0) metrics.timersRefused.inc(batch.timersRefused);
    if (batch.expired > 0) metrics.expired.inc(batch.expired);
    if (horizon !== null) metrics.horizon.set({ partition: String(partition) }, horizon.size);
    metrics.position.set({ partition: String(partition) }, position);
    metrics.cachedSubjects.set({ partition: String(partition) }, cache.size);
    metrics.cachedBytes.set({ partition: String(partition) }, cache.bytes);
    metrics.cacheMisses.inc(cache.misses - missesTold);
    missesTold = cache.misses;
    parts.onCommitted?.({
      partition,
      records: batch.records,
      decisions: batch.decisions.length,
      oldestAppendedAt: oldest,
      committedAt: now,
    });
    run.onProgress();
  }
}
