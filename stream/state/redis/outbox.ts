import {
  type BlockingReads,
  idOf,
  isTransient,
  type Read,
  type StreamEntry,
  streamRange,
} from '../../redis/index.ts';
import { outboxLost } from '../outbox-lost.ts';
import type { StateStore, StoredOutboxEntry } from '../port.ts';
import { readResolution } from '../resolution.ts';
import type { StateCalls } from './functions.ts';

type Outbox = Pick<StateStore, 'readOutbox' | 'outboxRange' | 'trimOutbox'>;

/** The part of the store that readers of the outbox use. */
export function redisOutbox(calls: StateCalls, reads: BlockingReads): Outbox {
  const range: Outbox['outboxRange'] = (partition) =>
    calls.send(
      (redis) => streamRange(redis, calls.keysOf(partition).outbox),
      `read the outbox of partition ${partition}`,
    );

  async function read(partition: number, offset: number, limit: number, waitMs: number): Promise<Read> {
    try {
      return await reads.readAfter(calls.keysOf(partition).outbox, offset, limit, waitMs);
    } catch (error) {
      if (!isTransient(error)) throw error;
      throw calls.caller.unavailable(`read the outbox of partition ${partition}`, error);
    }
  }

  return {
    async readOutbox(partition, offset, limit, waitMs, after) {
      const { before, entries } = await read(partition, offset, limit, waitMs);
      const first = entries[0];
      const isAnother = Boolean(after) && before !== null && fieldOf(before, 'm') !== after;
      if (first?.offset === offset && !isAnother) return entries.map(outboxEntryOf);
      const kept = await range(partition);
      if (isAnother) throw outboxLost(partition, offset, kept);
      if (first !== undefined || offset < kept.start || offset > kept.end)
        throw outboxLost(partition, offset, kept);
      return [];
    },
    outboxRange: range,
    async trimOutbox(partition, offset) {
      await calls.send(
        (redis) => redis.xtrim(calls.keysOf(partition).outbox, 'MINID', idOf(offset)),
        `trim the outbox of partition ${partition}`,
      );
    },
  };
}

function outboxEntryOf(entry: StreamEntry): StoredOutboxEntry {
  const kind = (fieldOf(entry, 'k') ?? '') as StoredOutboxEntry['kind'];
  const beside = fieldOf(entry, 'r');
  const common = {
    offset: entry.offset,
    kind,
    payload: fieldOf(entry, 'p') ?? '',
    mark: fieldOf(entry, 'm') ?? '',
  };
  if (kind === 'transfer') return { ...common, resolution: null, caps: beside ?? '' };
  return { ...common, resolution: beside === null ? null : readResolution(JSON.parse(beside)) };
}

function fieldOf({ fields }: StreamEntry, name: string): string | null {
  for (let at = 0; at + 1 < fields.length; at += 2)
    if (fields[at]?.toString('latin1') === name) return String(fields[at + 1]);
  return null;
}
