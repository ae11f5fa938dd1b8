import { systemTypes, tickProperties } from '../../schemas/index.ts';
import { type Batch, dead, drop, ok, type StepResult } from '../batch.ts';
import type { Item } from '../item.ts';
import { watermarkOf } from '../partition-state.ts';
import { tickWatermark } from '../timers/watermark.ts';

/** A `$tick` moves the watermark where no events do; it has fired its timers already, and says nothing else. */
export function applyTick() {
  return function tick(item: Item, batch: Batch): StepResult {
    if (item.type !== systemTypes.tick) return ok;
    const parsed = tickProperties.safeParse(item.properties);
    if (!parsed.success) return dead('not_a_tick', 'A $tick event must say when it was written.');
    const time = Math.min(item.statedTime, item.record.appendedAt);
    tickWatermark(watermarkOf(batch.partitionState, item.tenant), time, parsed.data.clock);
    batch.partitionState.changed = true;
    return drop;
  };
}
