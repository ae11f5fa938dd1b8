import { type Clock, type Logger, messageOf, PresageError } from '../../core/index.ts';
import { type StoredEvent, systemTypes } from '../../schemas/index.ts';
import type { Batch } from '../batch.ts';
import type { EventLog, LogRecord, PartitionReader } from '../log/port.ts';
import { recordOf } from '../log/record.ts';
import { decodePartitionState, type PartitionState, watermarkOf } from '../partition-state.ts';
import { processBatch } from '../process.ts';
import { commitOf } from '../publish.ts';
import { SharedPartition } from '../shared/index.ts';
import type { PartitionHead, StateStore } from '../state/port.ts';
import { SubjectCache } from '../subjects.ts';
import { Horizon } from '../timers/horizon.ts';
import { type Topology, type TopologyParts, topology } from '../topology.ts';
import type { Handover, Waiting } from './handover.ts';
import type { Pace } from './pace.ts';
import type { EventHistory, HistoryRow } from './port.ts';
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
  /** Shared by all that build. */
  readonly pace: Pace;
  readonly handover: Pick<Handover, 'waiting' | 'settled'>;
  /** Resolves earlier when the signal is aborted. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** If not the usual ones: for tests of many pages. */
  readonly sizes?: ShadowSizes;
}

export interface ShadowSizes {
  /** Positions of the event table read at once. */
  readonly page: number;
  /** The event table is left for the log when it is so near to what the sink has written. */
  readonly near: number;
  readonly cached: number;
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

const usualSizes: ShadowSizes = { page: 2_000, near: 500, cached: 20_000 };
/** Records of the log read at once. */
const recordsPerRead = 500;
const cachedBytes = 64 * 1024 * 1024;
const waitMs = 200;
/** How often the end of the log is asked for, and for how many reads without a record it is taken as reached. */
const lookEveryMs = 100;
const quietReads = 5;
/** How long the events of an anonymous id are waited for: its partition's may be written after those of its user's. */
const patienceMs = 60_000;

interface Page {
  readonly records: readonly LogRecord[];
  /** Everything before this position is in them. */
  readonly to: number;
}

function hasSource({ transfer }: HistoryRow, table: EventHistory, partitions: number): boolean {
  if (transfer === null || !transfer.hasState) return true;
  const { partition, position } = transfer.from;
  // One that there is no longer, after `presage repartition`, has all that it ever had in the table.
  return partition >= partitions || position < (table.end(partition) ?? 0);
}

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
  const { generation, store, log, history, sizes = usualSizes } = parts;
  const isInForce = async (): Promise<boolean> => (await store.head(partition)).generation >= generation;
  let patientUntil = parts.clock.monotonic() + patienceMs;

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
      if (history !== null && !(await fromEvents(shadow, history, until ?? Infinity))) continue;
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

  /** true: what comes next is to be read from the log. */
  async function fromEvents(shadow: Shadow, table: EventHistory, until: number): Promise<boolean> {
    progress.phase = 'events';
    while (!signal.aborted) {
      // Held from before the end is looked at, so that the log still has what comes after it.
      progress.needs = shadow.position();
      const end = table.end(partition);
      if (end === null) {
        await parts.pause(waitMs, signal);
        continue;
      }
      const { start } = await log.range(partition);
      const isNear = end - shadow.position() <= sizes.near;
      if (isNear && start <= shadow.position()) return true;
      if (!isNear) progress.needs = null;
      const { records, to } = await readPage(
        table,
        shadow.position(),
        Math.min(end, until, shadow.position() + sizes.page),
      );
      if (await processAll(shadow, records)) return false;
      if (signal.aborted) break;
      if (to === shadow.position() && to < end) await parts.pause(waitMs, signal);
      await shadow.skipTo(to);
      if (to === until) return false;
      if (to === end && start > end)
        throw new PresageError(
          'log_position_lost',
          `The log of partition ${partition} begins at ${start}, and the event table ends before ${end}.`,
          { retriable: true },
        );
    }
    return false;
  }

  /** Ends before a state that came from events which the table has not got yet. */
  async function readPage(table: EventHistory, from: number, to: number): Promise<Page> {
    let page: Page = { records: [], to: from };
    await parts.pace.step(signal, async () => {
      const rows = await table.rows(partition, from, to);
      const early = rows.findIndex((row) => !hasSource(row, table, parts.partitions));
      const isPatient = early >= 0 && parts.clock.monotonic() < patientUntil;
      if (early >= 0 && !isPatient)
        parts.logger.warn(
          { partition, position: rows[early]?.position },
          'What came from an anonymous id lacks its latest events: ClickHouse has not got them',
        );
      if (early !== 0) patientUntil = parts.clock.monotonic() + patienceMs;
      const known = isPatient ? rows.slice(0, early) : rows;
      const records = await recordsOf(known, parts, table);
      page = { records, to: isPatient ? (rows[early]?.position ?? to) : to };
      return null;
    });
    return page;
  }

  /** true: its generation has come into force on the way. */
  async function processAll(shadow: Shadow, records: readonly LogRecord[]): Promise<boolean> {
    let rest = records;
    while (rest.length > 0 && !signal.aborted) {
      rest = await shadow.processSome(rest, signal);
      if (progress.needs !== null) progress.needs = shadow.position();
      if (shadow.awaitsActivation() && (await decided(shadow))) return true;
    }
    return false;
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
      let lookedAt = -Infinity;
      let quiet = 0;
      while (!signal.aborted) {
        const read = await reader.next(recordsPerRead, waitMs);
        const records = read.filter(({ offset }) => offset < until);
        quiet = read.length === 0 ? quiet + 1 : 0;
        if (records.length === 0 && (await isInForce())) return true;
        if (await processAll(shadow, records)) return true;
        if (records.length < read.length) await shadow.skipTo(until);
        // Few records at once need not mean that there are no more: a broker may be slow to send them.
        if (read.length === recordsPerRead) progress.isCaughtUp = false;
        else if (parts.clock.monotonic() - lookedAt >= lookEveryMs) {
          lookedAt = parts.clock.monotonic();
          const { end } = await log.range(partition);
          const isAtEnd = end - shadow.position() <= recordsPerRead || quiet >= quietReads;
          progress.isCaughtUp = until === Infinity && isAtEnd;
        }
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
      const waiting = parts.handover.waiting(partition);
      if (waiting?.generation === generation && waiting.position === shadow.position()) {
        await shadow.settle(waiting, signal);
        if (!signal.aborted) parts.handover.settled(partition, waiting);
      }
      await parts.pause(5, signal);
    }
    return false;
  }
}

interface Shadow {
  position(): number;
  /** Commits as many as go into one batch; returns the others. */
  processSome(records: readonly LogRecord[], signal: AbortSignal): Promise<readonly LogRecord[]>;
  skipTo(position: number): Promise<void>;
  awaitsActivation(): boolean;
  /**
   * What the worker's watermarks have made due has fired there already. The shadow's own may be behind them: the event
   * table lacks repeats and dead letters, which move them too.
   */
  settle(waiting: Waiting, signal: AbortSignal): Promise<void>;
  refused(): void;
}

async function openShadow(parts: ShadowParts, partition: number, progress: ShadowProgress): Promise<Shadow> {
  const { features, generation } = parts;
  const own = parts.store.shadow(generation);
  const groups = parts.shared?.groups ?? [];
  const shared = groups.length === 0 ? null : new SharedPartition({ store: own, partition, groups });
  const limits = { subjects: (parts.sizes ?? usualSizes).cached, bytes: cachedBytes };
  const path: Topology = { ...topology(parts, partition, shared), decide: async () => [] };
  const state: PartitionState = decodePartitionState(await own.partitionState(partition));
  const cache = new SubjectCache({ store: own, features, partition, limits });
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
    let rest = records;
    await parts.pace.step(signal, async () => {
      const begun = parts.clock.monotonic();
      const some = records.slice(0, parts.pace.records());
      const batch = await processBatch(path, partition, some, cache, state, horizon);
      const busyMs = parts.clock.monotonic() - begun;
      await send(batch, batch.position);
      rest = records.slice(batch.records.length);
      return batch.records.length === 0 ? null : { records: batch.records.length, busyMs };
    });
    return rest;
  }

  return {
    position: () => head.position,
    processSome,
    async skipTo(position) {
      if (position > head.position) await send(null, position);
    },
    awaitsActivation: () =>
      !isRefused &&
      state.activation?.generation === generation &&
      state.activation.position + 1 === head.position,
    async settle({ watermarks }, signal) {
      let ticks: readonly LogRecord[] = [...watermarks]
        .filter(([tenant, { at }]) => at > watermarkOf(state, tenant).at)
        .map(([tenant, { at, movedAt }]) => tickAt(head.position - 1, tenant, at, movedAt));
      while (ticks.length > 0 && !signal.aborted) ticks = await processSome(ticks, signal);
    },
    refused: () => {
      isRefused = true;
    },
  };
}

function tickAt(position: number, tenant: string, time: number, clock: number): LogRecord {
  const event: StoredEvent = {
    v: 1,
    id: 'settle',
    tenant,
    type: systemTypes.tick,
    anonymousId: 'engine',
    time,
    properties: { clock },
    source: 'engine',
  };
  return recordOf(position, Math.max(time, clock), 'engine', Buffer.from(JSON.stringify(event)));
}
