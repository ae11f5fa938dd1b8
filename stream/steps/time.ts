import type { CompiledWorkspace } from '../../workspace/index.ts';
import { type Batch, ok, type StepResult } from '../batch.ts';
import type { Item } from '../item.ts';

/** Allowed lateness of event types that declare none. */
export const defaultLatenessMs = 3_600_000;

/**
 * Event time is what the producer says, but never after the append time: then it is clamped and flagged. An event
 * behind the watermark of its (partition, tenant) by more than its type's lateness is late: it still counts in
 * features, is listed, and starts no decision.
 */
export function placeInTime(workspace: CompiledWorkspace) {
  return function place(item: Item, batch: Batch): StepResult {
    const { record, tenant } = item;
    if (item.arrival !== null) {
      // Its time was settled where it came from.
      if (item.time < item.statedTime) batch.clamped.push(record.offset);
    } else if (item.statedTime > record.appendedAt) {
      item.time = record.appendedAt;
      batch.clamped.push(record.offset);
    } else if (item.time > batch.newestTime) batch.newestTime = item.time;
    const { watermarks } = batch.partitionState;
    const watermark = watermarks.get(tenant);
    if (watermark === undefined || item.time > watermark) {
      watermarks.set(tenant, item.time);
      batch.partitionState.changed = true;
      return ok;
    }
    const lateMs = watermark - item.time;
    if (lateMs > (workspace.types.get(item.type)?.latenessMs ?? defaultLatenessMs)) {
      item.isLate = true;
      batch.late.push([record.offset, lateMs]);
    }
    return ok;
  };
}
