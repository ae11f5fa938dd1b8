import type { Resolution } from '../../../schemas/index.ts';
import { type BlockingReads, idOf, isTransient, type StreamEntry, streamRange } from '../../redis/index.ts';
import { outboxLost } from '../outbox-lost.ts';
import type { StateStore, StoredOutboxEntry } from '../port.ts';
import type { StateCalls } from './functions.ts';

type Outbox = Pick<StateStore, 'readOutbox' | 'outboxRange' | 'trimOutbox'>;

/** The part of the store that readers of the outbox use. */
export function redisOutbox(calls: StateCalls, reads: BlockingReads): Outbox {
  const range: Outbox['outboxRange'] = (partition) =>
    calls.send(
      (redis) => streamRange(redis, calls.keysOf(partition).outbox),
      `read the outbox of partition ${partition}`,
    );

  async function read(
    partition: number,
    offset: number,
    limit: number,
    waitMs: number,
  ): Promise<StreamEntry[]> {
    try {
      return await reads.read(calls.keysOf(partition).outbox, offset, limit, waitMs);
    } catch (error) {
      if (!isTransient(error)) throw error;
      throw calls.caller.unavailable(`read the outbox of partition ${partition}`, error);
    }
  }

  return {
    async readOutbox(partition, offset, limit, waitMs) {
      const entries = await read(partition, offset, limit, waitMs);
      const first = entries[0];
      if (first?.offset === offset) return entries.map(outboxEntryOf);
      const kept = await range(partition);
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

function outboxEntryOf({ offset, fields }: StreamEntry): StoredOutboxEntry {
  const [, kindBytes, , payload, , beside] = fields;
  const kind = String(kindBytes) as StoredOutboxEntry['kind'];
  if (kind === 'transfer')
    return { offset, kind, payload: String(payload), resolution: null, caps: String(beside) };
  return {
    offset,
    kind,
    payload: String(payload),
    resolution: beside === undefined ? null : (JSON.parse(String(beside)) as Resolution),
  };
}
