import { type Logger, messageOf, PresageError } from '../../core/index.ts';
import type { EventLog, PartitionReader, Subscription } from '../../stream/log/port.ts';
import { readOutboxEntry } from '../../stream/outbox.ts';
import type { StateStore } from '../../stream/state/port.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { limits } from '../limits.ts';
import type { LiveHub } from './hub.ts';
import { kindOfRecord, messageOfEntry, messageOfRecord } from './messages.ts';

export interface TailParts {
  readonly log: EventLog;
  readonly store: StateStore;
  readonly workspace: CompiledWorkspace;
  readonly hub: LiveHub;
  readonly logger: Logger;
  readonly newId: () => string;
}

/** Few at a time: what comes beyond the budget is jumped over, not read. */
const readRecords = 50;
const waitMs = 1_000;
const retryMs = 1_000;

/** A tail that has fallen behind its budget: it begins again at the end. */
class Behind extends Error {}

/**
 * Reads the ends of log and outbox into the hub while someone watches. It has readers of its own and never holds
 * anyone up: whatever is beyond the hub's budget is jumped over and counted.
 */
export function startTail(parts: TailParts): { stop(): Promise<void> } {
  const { log, store, hub } = parts;
  const stopping = new AbortController();
  const isActive = (): boolean => !stopping.signal.aborted;
  /** By partition: where the next record to show stands, so that what is jumped over can be counted. */
  const shownTo = new Map<number, number>();

  async function followLog(): Promise<void> {
    const runners: Promise<void>[] = [];
    let fail: (error: unknown) => void = () => {};
    const failed = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    let subscription: Subscription | null = null;
    let isCurrent = true;
    // Only looked at while waiting below; a later failure of a reader being left is no news.
    failed.catch(() => {});
    try {
      subscription = await log.subscribe({
        // A group of its own, or it would take partitions from another live view.
        group: `live-${parts.newId()}`,
        startAt: async (partition) => {
          const { end } = await log.range(partition);
          hub.skip(Math.max(0, end - (shownTo.get(partition) ?? end)));
          shownTo.set(partition, end);
          return end;
        },
        onAssigned: (reader) => {
          const runner = followPartition(reader, () => isCurrent && isActive());
          runners.push(runner.catch(fail));
        },
        onRevoked: () => {},
      });
      await Promise.race([aborted(stopping.signal), failed]);
    } finally {
      isCurrent = false;
      await subscription?.stop();
      await Promise.allSettled(runners);
    }
  }

  async function followPartition(reader: PartitionReader, isCurrent: () => boolean): Promise<void> {
    const { partition } = reader;
    while (isCurrent()) {
      const records = await reader.next(readRecords, waitMs);
      for (const record of records) {
        hub.offer(kindOfRecord(record.value), () => messageOfRecord(record, parts.workspace));
        shownTo.set(partition, record.offset + 1);
      }
      if (records.length < readRecords) continue;
      // A full read: is it a burst, or more than can be shown?
      const behind = (await log.range(partition)).end - (shownTo.get(partition) ?? 0);
      if (behind <= limits.liveLagRecords) continue;
      await pause(retryMs, stopping.signal);
      throw new Behind();
    }
  }

  async function followOutbox(partition: number): Promise<void> {
    let next = (await store.outboxRange(partition)).end;
    let mark: string | null = null;
    while (isActive()) {
      const entries = await store.readOutbox(partition, next, readRecords, waitMs, mark);
      for (const stored of entries) {
        next = stored.offset + 1;
        mark = stored.mark;
        if (stored.kind === 'decision' || stored.kind === 'dead')
          hub.offer(stored.kind, () => messageOfEntry(readOutboxEntry(stored)));
      }
      if (entries.length < readRecords) continue;
      const { end } = await store.outboxRange(partition);
      if (end - next <= limits.liveLagRecords) continue;
      await pause(retryMs, stopping.signal);
      const { end: now } = await store.outboxRange(partition);
      hub.skip(now - next);
      next = now;
      mark = null;
    }
  }

  /** Again and again from the end: after falling behind, and after any trouble of the store. */
  async function persist(what: string, follow: () => Promise<void>): Promise<void> {
    while (isActive()) {
      try {
        await follow();
      } catch (error) {
        if (error instanceof Behind || !isActive()) continue;
        const isTrimmed = error instanceof PresageError && error.code.endsWith('_lost');
        if (!isTrimmed) parts.logger.warn({ what, err: messageOf(error) }, 'The live view begins again');
        await pause(retryMs, stopping.signal);
      }
    }
  }

  const all = [persist('log', followLog)];
  for (let partition = 0; partition < log.partitions; partition++) {
    all.push(persist(`outbox ${partition}`, () => followOutbox(partition)));
  }
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(all);
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
