import { systemTypes } from '../schemas/index.ts';
import type { Batch, Step } from './batch.ts';
import { Item } from './item.ts';
import type { LogRecord } from './log/port.ts';

import { type PartitionState, watermarkOf } from './partition-state.ts';
import { leaderOf, timeOf, timersPerBatch } from './steps/timers.ts';

import type { SubjectCache } from './subjects.ts';
import type { Horizon } from './timers/horizon.ts';
import type { Topology } from './topology.ts';

/**
 * Walks the records of one partition through the topology: all of them, or those up to one that has to wait.
 * It ends with a record that activates another generation. Changes the states in the cache and the partition state; what it returns must be committed next, or cache and partition
 * state thrown away.
 */
export async function processBatch(
  topology: Topology,
  partition: number,
  records: readonly LogRecord[],
  cache: SubjectCache,
  partitionState: PartitionState,
  horizon: Horizon | null = null,
): Promise<Batch> {
  const items: Item[] = [];
  const batch: Batch = {
    partition,
    records,
    position: (records.at(-1)?.offset ?? -1) + 1,
    partitionState,
    subjects: new Map(),
    changed: new Set(),
    duplicates: [],
    late: [],
    clamped: [],
    newestTime: -Infinity,
    oldestTime: Infinity,
    dead: [],
    forwarded: [],
    redelivered: [],
    moves: [],
    questions: [],
    shared: [],
    drafts: [],
    activation: null,
    horizon,
    timers: new Map(),
    expired: new Set(),
    looked: 0,
    timersFired: 0,
    timersRefused: 0,
  };
  const { decoder, steps } = topology;
  decoder.begin(records.length);
  for (let row = 0; row < records.length; row++) {
    const record = records[row] as LogRecord;
    const decoded = decoder.decode(record, row);
    if (decoded instanceof Item) items.push(decoded);
    else bury(batch, record, decoded.refused, decoded.event, decoded.bytes);
  }
  if (topology.completeMoved !== null && items.some(({ arrival }) => arrival?.transfer != null))
    await topology.completeMoved(items);
  const keys: string[] = [];
  for (const item of items) if (!isOfEngine(item)) keys.push(item.key);
  if (horizon !== null) await addDue(keys, items, partitionState, horizon, topology.timerDelayMs);
  batch.subjects = await cache.take(keys);
  if (topology.shared !== null) await topology.shared.prepare(items);

  walk: for (const item of items) {
    item.state = batch.subjects.get(item.key) ?? null;
    for (let i = 0; i < steps.length; i++) {
      const result = (steps[i] as Step)(item, batch);
      if (result.kind === 'ok') continue;
      if (result.kind === 'wait') {
        cutBefore(batch, item.record.offset);
        break walk;
      }
      if (result.kind === 'dead') bury(batch, item.record, result, item.event);
      break;
    }
    if (batch.activation !== null) {
      cutBefore(batch, item.record.offset + 1);
      break;
    }
  }
  // In the order of the log, wherever batches begin: some were refused before the walk, some in it.
  batch.dead.sort((a, b) => a.position - b.position);
  for (const key of batch.expired) {
    const state = batch.subjects.get(key);
    if (state !== undefined) cache.replace(key, state);
  }
  batch.shared = topology.shared?.takeChanged() ?? [];
  batch.drafts = await topology.decide(batch.questions);
  decoder.end();
  return batch;
}

const isOfEngine = ({ type }: Item): boolean => type === systemTypes.control || type === systemTypes.tick;

/** The subjects whose timers these items may make due, and those whose own clock a tick carries on. */
async function addDue(
  keys: string[],
  items: readonly Item[],
  partitionState: PartitionState,
  horizon: Horizon,
  delayMs: number,
): Promise<void> {
  const newest = new Map<string, number>();
  for (const item of items) {
    const time = timeOf(item);
    if (time > (newest.get(item.tenant) ?? -Infinity)) newest.set(item.tenant, time);
    if (item.type === systemTypes.tick) {
      const led = leaderOf(item);
      if (led !== null) keys.push(led.leader);
    }
  }
  const share = Math.max(1, Math.floor(timersPerBatch / newest.size));
  for (const [tenant, time] of newest) {
    const until = Math.max(watermarkOf(partitionState, tenant).at, time) - delayMs;
    await horizon.reach(tenant, until);
    for (const key of horizon.first(tenant, until, share)) keys.push(key);
  }
}

/** The batch ends before this offset. */
function cutBefore(batch: Batch, offset: number): void {
  batch.position = offset;
  batch.records = batch.records.filter((record) => record.offset < offset);
  batch.dead.splice(0, batch.dead.length, ...batch.dead.filter((letter) => letter.position < offset));
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
