import { type Clock, type Logger, messageOf, PresageError } from '../../core/index.ts';
import type { Batch } from '../batch.ts';
import type { EventLog, LogRecord, PartitionReader } from '../log/port.ts';
import { decodePartitionState, type PartitionState } from '../partition-state.ts';
import { processBatch } from '../process.ts';
import { commitOf } from '../publish.ts';
import { SharedPartition } from '../shared/index.ts';
import type { PartitionHead, StateStore } from '../state/port.ts';
import { SubjectCache } from '../subjects.ts';
import { Horizon } from '../timers/horizon.ts';
import { type Topology, type TopologyParts, topology } from '../topology.ts';
import type { EventHistory } from './port.ts';
import { recordsOf } from './records.ts';

export interface ShadowParts extends TopologyParts {
  readonly log: EventLog;
  readonly store: StateStore;
  /** null: the state is made from the log alone. */
  readonly history: EventHistory | null;
  /** The first position that the worker has not reported in the outbox, as far as readers know; null: not known. */
  readonly reported: (partition: number) => number | null;
  /** The one to build. */
  readonly generation: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Resolves earlier when the signal is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** How far a shadow is; it keeps this up to date. */
export interface ShadowProgress {
  phase: 'events' | 'log' | 'in force';
  /** Next offset to process. */
  position: number;
  /** It has everything that the log had when it last looked. */
  isCaughtUp: boolean;
  /** The log must keep its records from here on; null: the event table has them. */
  needs: number | null;
  /** How often a generation that was to come into force did not. */
  refused: number;
  trouble: string | null;
}

export const makeShadowProgress = (): ShadowProgress => ({
  phase: 'events',
  position: 0,
  isCaughtUp: false,
  needs: null,
  refused: 0,
  trouble: null,
});

/** Positions of the event table read at once, and records of a commit: serving waits for no more than these. */
const positionsPerPage = 5_000;
const recordsPerBatch = 500;
/** The event table is left for the log when it is so near to what the sink has written. */
const nearEnough = 2_000;
const cacheLimits = { subjects: 20_000, bytes: 64 * 1024 * 1024 };
const waitMs = 200;

/**
 * Builds a generation of one partition's state beside the one in force: from the event table as far as that goes, then
 * from the log, with the same steps as the worker, but deciding and publishing nothing. It goes on from what it has
 * committed, and ends when its generation is in force or the signal is aborted.
 */
export async function runShadow(
  parts: ShadowParts,
  partition: number,
  progress: ShadowProgress,
  signal: AbortSignal,
): Promise<void> {
  const { generation, store, log, history } = parts;
  const isInForce = async (): Promise<boolean> => (await store.head(partition)).generation >= generation;

  while (!signal.aborted) {
    try {
      const shadow = await openShadow(parts, partition, progress);
      if (await isInForce()) break;
      if (shadow.awaitsActivation()) await decided(shadow);
      const until = await restart();
      if (until !== null && shadow.position() >= until) {
        await inForce();
        break;
      }
      if (history !== null && (await fromEvents(shadow, history, until ?? Infinity))) continue;
      if (await fromLog(shadow, until ?? Infinity)) break;
    } catch (error) {
      if (await isInForce().catch(() => false)) break;
      progress.trouble = messageOf(error);
      parts.logger.warn({ partition, generation, err: messageOf(error) }, 'Building state begins again');
      await parts.pause(500, signal);
    }
  }
  if (signal.aborted) return;
  progress.phase = 'in force';
  progress.needs = null;
  progress.trouble = null;

  /**
   * Where the worker is to go on if its own position is not in the log: what nobody was told of must be its to tell.
   * null: it is at work.
   */
  async function restart(): Promise<number | null> {
    const [{ position }, { start, end }] = await Promise.all([store.head(partition), log.range(partition)]);
    if (position >= start && position <= end) return null;
    return Math.min(end, Math.max(start, parts.reported(partition) ?? start));
  }

  async function inForce(): Promise<void> {
    progress.isCaughtUp = true;
    while (!signal.aborted && !(await isInForce())) await parts.pause(waitMs, signal);
  }

  /** true: it has read pages, and the log may be near enough now. */
  async function fromEvents(shadow: Shadow, table: EventHistory, until: number): Promise<boolean> {
    progress.phase = 'events';
    // Held from before the end is looked at, so that the log still has what comes after it.
    progress.needs = shadow.position();
    let end = table.end(partition);
    while (end === null && !signal.aborted) {
      await parts.pause(waitMs, signal);
      end = table.end(partition);
    }
    if (end === null || signal.aborted) return false;
    const { start } = await log.range(partition);
    const isNear = end - shadow.position() <= nearEnough;
    if (isNear && start <= shadow.position()) return false;
    const to = Math.min(end, until, shadow.position() + positionsPerPage);
    if (!isNear) progress.needs = null;
    const rows = await table.rows(partition, shadow.position(), to);
    const records = await recordsOf(rows, parts.features, table);
    await shadow.process(records, signal);
    if (!signal.aborted) await shadow.skipTo(to);
    if (to === end && start > end)
      throw new PresageError(
        'log_position_lost',
        `The log of partition ${partition} begins at ${start}, and the event table ends before ${end}.`,
        { retriable: true },
      );
    return true;
  }

  /** true: the generation is in force. */
  async function fromLog(shadow: Shadow, until: number): Promise<boolean> {
    progress.phase = 'log';
    progress.needs = shadow.position();
    const range = await log.range(partition);
    if (history === null && shadow.position() === 0 && range.start > 0) await shadow.skipTo(range.start);
    let hand: (reader: PartitionReader) => void = () => {};
    const assigned = new Promise<PartitionReader>((resolve) => {
      hand = resolve;
    });
    const subscription = await log.subscribe({
      group: `build-${generation}-${partition}`,
      partitions: [partition],
      startAt: async () => shadow.position(),
      onAssigned: (reader) => hand(reader),
      onRevoked: () => {},
    });
    try {
      const reader = await assigned;
      while (!signal.aborted) {
        const read = await reader.next(recordsPerBatch, waitMs);
        const records = read.filter(({ offset }) => offset < until);
        progress.isCaughtUp = until === Infinity && records.length < recordsPerBatch;
        if (records.length === 0 && (await isInForce())) return true;
        let rest: readonly LogRecord[] = records;
        while (rest.length > 0 && !signal.aborted) {
          rest = await shadow.processSome(rest, signal);
          progress.needs = shadow.position();
          if (shadow.awaitsActivation() && (await decided(shadow))) return true;
        }
        if (records.length < read.length) await shadow.skipTo(until);
        if (shadow.position() >= until) return false;
      }
      return false;
    } finally {
      await subscription.stop();
    }
  }

  /** Waits where its generation comes into force until it is, or the worker has gone on without it. */
  async function decided(shadow: Shadow): Promise<boolean> {
    while (!signal.aborted) {
      const head = await store.head(partition);
      if (head.generation >= generation) return true;
      if (head.position >= shadow.position()) {
        progress.refused += 1;
        shadow.refused();
        return false;
      }
      await parts.pause(5, signal);
    }
    return false;
  }
}

interface Shadow {
  position(): number;
  process(records: readonly LogRecord[], signal: AbortSignal): Promise<void>;
  /** Commits as many as go into one batch; returns the others. */
  processSome(records: readonly LogRecord[], signal: AbortSignal): Promise<readonly LogRecord[]>;
  skipTo(position: number): Promise<void>;
  awaitsActivation(): boolean;
  refused(): void;
}

async function openShadow(parts: ShadowParts, partition: number, progress: ShadowProgress): Promise<Shadow> {
  const { features, generation } = parts;
  const own = parts.store.shadow(generation);
  const groups = parts.shared?.groups ?? [];
  const shared = groups.length === 0 ? null : new SharedPartition({ store: own, partition, groups });
  const path: Topology = { ...topology(parts, partition, shared), decide: async () => [] };
  const state: PartitionState = decodePartitionState(await own.partitionState(partition));
  const cache = new SubjectCache({ store: own, features, partition, limits: cacheLimits });
  const horizon = path.hasTimers ? new Horizon({ store: own, partition, settled: async () => {} }) : null;
  let head: PartitionHead = await own.head(partition);
  let isRefused = false;
  progress.position = head.position;
  progress.trouble = null;

  async function send(batch: Batch | null, position: number): Promise<void> {
    const id = parts.newId();
    const made = batch === null ? null : commitOf(batch, features, head.commitId, id);
    for (const [key, blob] of made?.commit.blobs ?? []) if (blob !== null) cache.resized(key, blob.length);
    for (const key of made?.outgrown ?? []) cache.reset(key);
    state.changed = false;
    const empty = { previous: head.commitId, id, position, blobs: [], partitionState: null, outbox: [] };
    // Only the worker publishes and changes caps; it finds those left behind by the index, once this is in force.
    const outcome = await own.commit(partition, { ...(made?.commit ?? empty), position, outbox: [] });
    if (outcome.kind === 'fenced')
      throw new PresageError('fenced', `The shadow of partition ${partition} is built elsewhere too.`, {
        retriable: true,
      });
    head = { ...head, position, commitId: id, sequence: outcome.sequence };
    progress.position = position;
    isRefused = false;
    cache.evict();
  }

  async function processSome(
    records: readonly LogRecord[],
    signal: AbortSignal,
  ): Promise<readonly LogRecord[]> {
    const begun = parts.clock.monotonic();
    const batch = await processBatch(
      path,
      partition,
      records.slice(0, recordsPerBatch),
      cache,
      state,
      horizon,
    );
    await send(batch, batch.position);
    // As long idle as busy: what is served comes first.
    await parts.pause(Math.max(1, parts.clock.monotonic() - begun), signal);
    return records.slice(batch.records.length);
  }

  return {
    position: () => head.position,
    processSome,
    async process(records, signal) {
      let rest = records;
      while (rest.length > 0 && !signal.aborted) rest = await processSome(rest, signal);
    },
    async skipTo(position) {
      if (position > head.position) await send(null, position);
    },
    awaitsActivation: () =>
      !isRefused &&
      state.activation?.generation === generation &&
      state.activation.position + 1 === head.position,
    refused: () => {
      isRefused = true;
    },
  };
}
