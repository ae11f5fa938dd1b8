import type { StoredEvent } from '../../schemas/index.ts';
import type { EventLog, LogRecord, PartitionReader } from '../../stream/log/port.ts';
import { jsonText } from '../../stream/schemas/framing.ts';
import type { Warehouse } from './port.ts';

export interface WrittenParts {
  readonly log: Pick<EventLog, 'range' | 'subscribe'>;
  readonly warehouse: Pick<Warehouse, 'rows'>;
}

/**
 * The log position up to which a partition's events are in ClickHouse, at least `from`: a block is there as a whole or
 * not at all. Events of another log (this one is younger, or was lost and begun anew) do not count: the newest of them
 * is compared with the log's own record.
 */
export async function writtenLog(parts: WrittenParts, partition: number, from: number): Promise<number> {
  const [newest] = await parts.warehouse.rows<{ id: string; position: string | number; received: number }>(
    'SELECT id, position, toFloat64(toUnixTimestamp64Milli(received)) AS received FROM events WHERE partition = {partition:UInt32} AND position >= {from:UInt64} ORDER BY position DESC LIMIT 1',
    { partition, from },
  );
  if (newest === undefined) return from;
  const position = Number(newest.position);
  const { start, end } = await parts.log.range(partition);
  if (position < start || position >= end) return from;
  const record = await recordAt(parts.log, partition, position);
  const isIt = record?.appendedAt === newest.received && idOf(record) === newest.id;
  return isIt ? position + 1 : from;
}

const patienceMs = 5_000;

async function recordAt(
  log: Pick<EventLog, 'subscribe'>,
  partition: number,
  position: number,
): Promise<LogRecord | null> {
  let reader: PartitionReader | null = null;
  const subscription = await log.subscribe({
    group: 'sink-check',
    partitions: [partition],
    startAt: async () => position,
    onAssigned: (assigned) => {
      reader = assigned;
    },
    onRevoked: () => {},
  });
  try {
    const [record] = (await (reader as PartitionReader | null)?.next(1, patienceMs)) ?? [];
    return record?.offset === position ? record : null;
  } finally {
    await subscription.stop();
  }
}

function idOf(record: LogRecord): string | null {
  try {
    return (JSON.parse(jsonText(record)) as StoredEvent).id;
  } catch {
    return null;
  }
}
