import type { CompiledWorkspace } from '../../workspace/index.ts';
import { type Batch, ok, type StepResult } from '../batch.ts';
import type { Item } from '../item.ts';
import { watermarkOf } from '../partition-state.ts';
import { defaultLatenessMs } from '../timers/rules.ts';
import { moveWatermark } from '../timers/watermark.ts';

/**
 * Event time is what the producer says, but never after the append time: then it is clamped and flagged. An event
 * behind the watermark of its (partition, tenant), or behind its own subject's newest event, by more than its type's
 * lateness is late: it still counts in features, is listed, and starts no decision.
 */
export function placeInTime(workspace: CompiledWorkspace) {
  return function place(item: Item, batch: Batch): StepResult {
    const { record } = item;
    if (item.arrival !== null) {
      // Its time was settled where it came from.
      if (item.time < item.statedTime) batch.clamped.push(record.offset);
    } else if (item.statedTime > record.appendedAt) {
      item.time = record.appendedAt;
      batch.clamped.push(record.offset);
    } else if (item.time > batch.newestTime) batch.newestTime = item.time;
    const { time } = item;
    const isFresh = item.arrival === null && time === item.statedTime;
    const mark = watermarkOf(batch.partitionState, item.tenant);
    if (moveWatermark(mark, item.key, time, record.appendedAt)) batch.partitionState.changed = true;
    const newest = Math.max(mark.at, item.state?.newest ?? -Infinity);
    const lateMs = newest - time;
    if (lateMs > 0 && lateMs > (workspace.types.get(item.type)?.latenessMs ?? defaultLatenessMs)) {
      item.isLate = true;
      batch.late.push([record.offset, lateMs]);
    } else if (isFresh && time < batch.oldestTime) batch.oldestTime = time;
    return ok;
  };
}
