import type { Batch } from './batch.ts';
import { makeColumns } from './decode/columns.ts';
import { Item } from './item.ts';
import type { LogRecord } from './log/port.ts';
import type { PartitionState } from './partition-state.ts';
import type { SubjectCache } from './subjects.ts';
import type { Topology } from './topology.ts';

/**
 * Walks the records of one partition through the topology. Changes the states in the cache and the partition state;
 * what it returns must be committed next, or cache and partition state thrown away.
 */
export async function processBatch(
  topology: Topology,
  partition: number,
  records: readonly LogRecord[],
  cache: SubjectCache,
  partitionState: PartitionState,
): Promise<Batch> {
  const items: Item[] = [];
  const batch: Batch = {
    partition,
    records,
    partitionState,
    subjects: new Map(),
    changed: new Set(),
    duplicates: [],
    late: [],
    clamped: [],
    newestTime: -Infinity,
    dead: [],
    forwarded: [],
    redelivered: [],
    moves: [],
    questions: [],
    drafts: [],
  };
  const { decoder } = topology;
  const columns = makeColumns(records.length, decoder.width);
  for (const [row, record] of records.entries()) {
    const decoded = decoder.decode(record, columns, row);
    if (decoded instanceof Item) items.push(decoded);
    else bury(batch, record, decoded.refused, decoded.event, decoded.bytes);
  }
  const loaded = await cache.take(
    new Set(items.filter((item) => item.type !== '$control').map((item) => item.key)),
  );
  for (const [key, state] of loaded) batch.subjects.set(key, state);

  for (const item of items) {
    for (const step of topology.steps) {
      const result = step(item, batch);
      if (result.kind === 'ok') continue;
      if (result.kind === 'dead') bury(batch, item.record, result, item.event);
      break;
    }
  }
  batch.drafts = await topology.decide(batch.questions);
  return batch;
}

function bury(
  batch: Batch,
  record: LogRecord,
  reason: { readonly code: string; readonly message: string },
  event: { tenant?: string; id?: string; source?: string } | null,
  bytes = record.value.toString('base64'),
): void {
  batch.dead.push({
    partition: batch.partition,
    position: record.offset,
    appendedAt: record.appendedAt,
    code: reason.code,
    message: reason.message,
    bytes,
    tenant: event?.tenant ?? null,
    eventId: event?.id ?? null,
    source: event?.source ?? null,
  });
}
