import type { SubjectState } from '../features/port.ts';
import type { LogRecord } from '../log/port.ts';
import { emptyPartitionState } from '../partition-state.ts';
import { processBatch } from '../process.ts';
import { SubjectCache } from '../subjects.ts';
import { Horizon } from '../timers/horizon.ts';
import { type TopologyParts, topology } from '../topology.ts';

const nothing = { load: async (_: number, keys: readonly string[]) => keys.map(() => null) };
const noTimers = { earliestTimers: async () => [] };
const allOfIt = { subjects: Infinity, bytes: Infinity };

/**
 * The state of a subject that had these records alone, with what it waits for: by the worker's own steps. Time goes on by
 * the subject's own events only, as nothing is known of the others of its partition; so a wait may be there still that
 * the partition's watermark had ended, and is ended where the state arrives. null: there were no events.
 */
export async function stateOfOne(
  parts: TopologyParts,
  partition: number,
  records: readonly LogRecord[],
): Promise<SubjectState | null> {
  const { features } = parts;
  const path = { ...topology({ ...parts, shared: undefined }, partition), decide: async () => [] };
  const cache = new SubjectCache({ store: nothing, features, partition, limits: allOfIt });
  const horizon = path.hasTimers
    ? new Horizon({ store: noTimers, partition, settled: async () => {} })
    : null;
  const clocks = emptyPartitionState();
  let key: string | null = null;
  let rest = records;
  while (rest.length > 0) {
    const batch = await processBatch(path, partition, rest, cache, clocks, horizon);
    rest = rest.slice(batch.records.length);
    for (const changed of batch.changed) key = changed;
  }
  if (key === null) return null;
  const state = (await cache.take([key])).get(key) ?? null;
  return state === null || state.moved !== null ? null : state;
}
