import { Counter, type Registry } from 'prom-client';
import {
  type Clock,
  type Health,
  type Logger,
  PresageError,
  partitionOf,
  type Role,
} from '../../core/index.ts';
import { type Follower, followOutbox, type OutboxSource } from '../follow.ts';
import type { EventLog, NewRecord } from '../log/port.ts';
import type { StoredOutboxEntry } from '../state/port.ts';
import { withCaps } from './records.ts';

/** Name of the relay's position in the outbox. */
export const relayReader = 'relay';

export interface RelayParts {
  readonly log: Pick<EventLog, 'partitions' | 'append'>;
  readonly store: OutboxSource;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
}

/**
 * The relay: takes what commits send to other partitions out of each partition's outbox and appends it to the log, in
 * order and at least once: its position moves after the log has them. Whoever reads the log knows what comes again.
 */
export function makeRelay(parts: RelayParts): Role {
  const { log, store, clock } = parts;
  const logger = parts.logger.child({ role: 'relay' });
  const records = new Counter({
    name: 'presage_relay_records_total',
    help: 'Transfers and forwarded events on their way to the partition of a user, by what became of them.',
    labelNames: ['kind', 'result'],
    registers: [parts.registry],
  });
  const lost = new Counter({
    name: 'presage_relay_outbox_lost_total',
    help: 'Times the relay found its position no longer in the outbox and began at the oldest entry.',
    registers: [parts.registry],
  });
  let followers: readonly Follower[] = [];

  async function handle(entries: readonly StoredOutboxEntry[]): Promise<void> {
    const moves = entries.filter(({ kind }) => kind === 'transfer' || kind === 'forward');
    if (moves.length === 0) return;
    const found = moves.map((entry) => recordOf(entry, log.partitions));
    try {
      for (const part of inParts(found)) await log.append(part, true);
    } catch (error) {
      if (!(error instanceof PresageError) || error.code !== 'log_invalid') throw error;
      await appendEach(moves, found);
      return;
    }
    for (const { kind } of moves) records.inc({ kind, result: 'appended' });
  }

  /** One of them can never be in the log, which the worker sees to (`mostMovedBytes`): the others must not wait for it. */
  async function appendEach(moves: readonly StoredOutboxEntry[], found: readonly NewRecord[]): Promise<void> {
    for (const [index, record] of found.entries()) {
      const kind = moves[index]?.kind ?? 'forward';
      try {
        await log.append([record], true);
        records.inc({ kind, result: 'appended' });
      } catch (error) {
        if (!(error instanceof PresageError) || error.code !== 'log_invalid') throw error;
        records.inc({ kind, result: 'refused' });
        logger.error(
          { offset: moves[index]?.offset, error: error.message },
          'The log refused what was to be moved.',
        );
      }
    }
  }

  return {
    name: 'relay',
    start: async () => {
      followers = Array.from({ length: log.partitions }, (_, partition) =>
        followOutbox({
          partition,
          store,
          reader: relayReader,
          clock,
          logger,
          handle,
          onLost: () => lost.inc(),
        }),
      );
    },
    stop: async () => {
      await Promise.all(followers.map((follower) => follower.stop()));
      followers = [];
    },
    health: (): Health => {
      for (const follower of followers) {
        const why = follower.trouble();
        if (why !== null) return { state: 'degraded', why };
      }
      if (followers.length === 0) return { state: 'down', why: 'the relay is not running' };
      return followers.every((follower) => follower.hasBegun())
        ? { state: 'ok' }
        : { state: 'starting', why: 'reading the outbox positions' };
    },
  };
}

/** One append carries at most about this, if not a single record does. */
const appendBytes = 4 * 1_024 * 1_024;

function* inParts(records: readonly NewRecord[]): Generator<NewRecord[]> {
  let part: NewRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    if (part.length > 0 && bytes + record.value.length > appendBytes) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += record.value.length;
  }
  if (part.length > 0) yield part;
}

/** The record of an entry, for the partition of the user it goes to. */
export function recordOf(entry: StoredOutboxEntry, partitions: number): NewRecord {
  const value = entry.kind === 'transfer' ? withCaps(entry.payload, entry.caps ?? '{}') : entry.payload;
  const { userId } = JSON.parse(value) as { userId: string };
  return { partition: partitionOf(userId, partitions), key: userId, value: Buffer.from(value) };
}
