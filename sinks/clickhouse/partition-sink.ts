import { setTimeout as wait } from 'node:timers/promises';
import { type Clock, type Logger, messageOf, PresageError } from '../../core/index.ts';
import type { EventLog, PartitionReader } from '../../stream/log/port.ts';
import type { StateStore } from '../../stream/state/port.ts';
import { type Block, type BlockLimits, readBlock } from './block.ts';
import { type LogCursor, logCursor, Stopped } from './log-cursor.ts';
import type { SinkMetrics } from './metrics.ts';
import type { Warehouse } from './port.ts';
import { type Progress, readProgress, tokenOf, versionOf } from './progress.ts';
import { rowsOfBlock, type TableRows } from './rows/block.ts';
import type { Turn } from './turn.ts';
import { writtenLog } from './written.ts';

export interface PartitionSinkParts {
  readonly log: Pick<EventLog, 'range' | 'subscribe'>;
  readonly store: Pick<StateStore, 'readOutbox' | 'outboxRange' | 'readerState' | 'saveReaderState'>;
  readonly warehouse: Pick<Warehouse, 'insert' | 'rows'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SinkMetrics;
  readonly limits: SinkLimits;
  /** Shared by all partitions. */
  readonly turn: Turn;
  /** Called whenever the position has moved. */
  readonly onProgress: () => void;
}

export interface SinkLimits extends BlockLimits {
  /** A block begins at the latest so long after the one before it, when there is something to write. */
  readonly flushMs: number;
  /** The longest wait between two small blocks, however slow ClickHouse is. */
  readonly mostPauseMs: number;
  /** Waits between attempts: the first, and the most. */
  readonly retryMs: { readonly first: number; readonly most: number };
}

export interface PartitionSink {
  /** What is written and saved: everything below may be forgotten. */
  progress(): Progress;
  /** Null while all is well. */
  trouble(): { readonly why: string; readonly isFinal: boolean } | null;
  /** Runs until `stop`, or until its position is no longer in the outbox: then it has moved it and must be made anew. */
  readonly done: Promise<'stopped' | 'rewound'>;
  /** Finishes the block in hand, unless ClickHouse does not take it. */
  stop(): Promise<void>;
}

export const readerName = 'sink';
const idleWaitMs = 500;

/**
 * Where a partition begins: as saved, or at the oldest that is kept. ClickHouse may be ahead of what was saved, where
 * the state store has lost its last writes (or all): its events stay, and all else is written again.
 */
export async function beginning(parts: PartitionSinkParts, partition: number): Promise<Progress> {
  const saved = readProgress(partition, await parts.store.readerState(partition, readerName));
  const [outbox, log] = await Promise.all([parts.store.outboxRange(partition), parts.log.range(partition)]);
  const from = saved ?? {
    v: 1,
    epoch: epochAfter(0, parts.clock),
    outbox: outbox.start,
    mark: null,
    log: log.start,
    inFlight: null,
  };
  const written = await writtenLog(parts, partition, from.log);
  if (written <= (from.inFlight?.logEnd ?? from.log)) return from;
  parts.logger.error(
    { partition, saved: from.log, written },
    'ClickHouse is ahead of the saved position of the sink: the state store went back in time. Events stay, decisions are written again.',
  );
  parts.metrics.rewinds.inc();
  return {
    v: 1,
    epoch: epochAfter(from.epoch, parts.clock),
    outbox: outbox.start,
    mark: null,
    log: written,
    inFlight: null,
  };
}

const epochAfter = (epoch: number, clock: Clock): number =>
  Math.max(epoch + 1, Math.floor(clock.now() / 1_000));

/**
 * Writes one partition's outbox and log to ClickHouse, each entry and record once:
 * 1. read a block, 2. save that it is in flight, 3. insert its rows under tokens made from its range, 4. save the
 * position behind it. A crash in between repeats the same block, whose rows are a function of its range alone, so that
 * ClickHouse recognises what it has. Nothing is ever skipped: what fails is tried again.
 */
export function runPartitionSink(
  parts: PartitionSinkParts,
  reader: PartitionReader,
  from: Progress,
): PartitionSink {
  const { store, clock, metrics, limits } = parts;
  const { partition } = reader;
  const logger = parts.logger.child({ partition });
  const stopping = new AbortController();
  const isStopped = (): boolean => stopping.signal.aborted;
  const records: LogCursor = logCursor(reader, from.log, isStopped);
  let progress = from;
  let block: (Block & { rows: TableRows[] | null }) | null = null;
  let trouble: { why: string; isFinal: boolean } | null = null;
  let nextBlockAt = 0;

  const save = async (next: Progress): Promise<void> => {
    await store.saveReaderState(partition, readerName, JSON.stringify(next));
    progress = next;
  };

  async function read(): Promise<void> {
    const source = { partition, store, log: records, limits, turn: parts.turn };
    if (progress.inFlight === null) await pause(nextBlockAt - clock.monotonic());
    if (isStopped()) return;
    const found = await unlessStopped(readBlock(source, progress, idleWaitMs));
    if (found === null) await showLag();
    else block = { ...found, rows: null };
  }

  async function write(current: Block & { rows: TableRows[] | null }): Promise<void> {
    const begun = clock.monotonic();
    if (progress.inFlight === null)
      await save({ ...progress, inFlight: { outboxEnd: current.outboxEnd, logEnd: current.logEnd } });
    current.rows ??= await rowsOfBlock(
      { partition, entries: current.entries, records: current.records, versionOf: versionOf(progress.epoch) },
      parts.turn,
    );
    for (let table = current.rows[0]; table !== undefined; table = current.rows[0]) {
      await parts.warehouse.insert(
        table.table,
        table.ndjson,
        tokenOf(partition, progress, current, table.table),
      );
      metrics.rows.inc({ table: table.table }, table.rows);
      current.rows.shift();
    }
    await save({
      ...progress,
      outbox: current.outboxEnd,
      mark: current.mark,
      log: current.logEnd,
      inFlight: null,
    });
    records.release(current.logEnd);
    block = null;
    trouble = null;
    const tookMs = clock.monotonic() - begun;
    // Each insert makes a part that ClickHouse has to merge, so small blocks are spaced out: they take at most a fifth
    // of the time, however slow they are.
    nextBlockAt = current.isFull
      ? 0
      : begun + Math.min(Math.max(limits.flushMs, tookMs * 5), limits.mostPauseMs);
    metrics.blockSeconds.observe(tookMs / 1_000);
    metrics.blockEntries.observe(current.entries.length);
    parts.onProgress();
    await showLag();
  }

  /** How many entries are waiting; also finds a position that the outbox has never had. */
  async function waiting(): Promise<number> {
    const { end } = await store.outboxRange(partition);
    if (end < progress.outbox)
      throw new PresageError('outbox_lost', `The outbox of partition ${partition} ends at ${end}.`);
    return end - progress.outbox;
  }

  async function showLag(): Promise<void> {
    metrics.lag.set({ partition: String(partition) }, await waiting());
  }

  async function rewind(): Promise<void> {
    const [outbox, log] = await Promise.all([store.outboxRange(partition), parts.log.range(partition)]);
    const written = await writtenLog(parts, partition, progress.log);
    logger.error(
      { from: progress.outbox, start: outbox.start, end: outbox.end },
      'The sink position is not in the outbox (trimmed, or the state store went back in time): going on at its oldest entry.',
    );
    metrics.rewinds.inc();
    await save({
      v: 1,
      epoch: epochAfter(progress.epoch, clock),
      outbox: outbox.start,
      mark: null,
      // The log kept its records: those that are written stay written. A log that went back too has new ones.
      log: written <= log.end ? written : log.start,
      inFlight: null,
    });
  }

  const pause = async (ms: number): Promise<void> => {
    if (ms > 0) await wait(ms, undefined, { signal: stopping.signal }).catch(() => undefined);
  };

  /** Reading changes nothing, so an end does not wait for it. */
  const unlessStopped = <T>(reading: Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const leave = (): void => reject(new Stopped());
      stopping.signal.addEventListener('abort', leave, { once: true });
      reading.then(resolve, reject).finally(() => stopping.signal.removeEventListener('abort', leave));
    });

  async function run(): Promise<'stopped' | 'rewound'> {
    let retryAfter = limits.retryMs.first;
    while (!isStopped()) {
      try {
        if (block === null) await read();
        if (block !== null) await write(block);
        trouble = null;
        retryAfter = limits.retryMs.first;
      } catch (error) {
        if (error instanceof Stopped) break;
        try {
          if (error instanceof PresageError && error.code === 'outbox_lost') {
            await rewind();
            return 'rewound';
          }
        } catch (inRewind) {
          logger.warn({ error: messageOf(inRewind) }, 'The sink could not move its position yet');
        }
        const code = error instanceof PresageError ? error.code : 'unexpected';
        trouble = { why: messageOf(error), isFinal: !(error instanceof PresageError && error.retriable) };
        metrics.retries.inc({ code });
        logger.warn({ error: trouble.why, code, retryInMs: retryAfter }, 'The sink tries again');
        await pause(retryAfter);
        retryAfter = Math.min(limits.retryMs.most, retryAfter * 2);
      }
    }
    return 'stopped';
  }

  const done = run();
  return {
    progress: () => progress,
    trouble: () => trouble,
    done,
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}
