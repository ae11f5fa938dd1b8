import { type Batch, drop, ok, type StepResult } from '../batch.ts';
import type { FeatureSet } from '../features/port.ts';
import type { Item } from '../item.ts';
import type { SharedPartition } from '../shared/index.ts';

/** The event goes into its subject's features; a repeat is listed and goes no further. */
export function updateFeatures(features: FeatureSet, shared: SharedPartition | null) {
  return function update(item: Item, batch: Batch): StepResult {
    const { record, state } = item;
    if (state === null) return drop;
    // Already in the blob: a re-read after a rewind of the position, not a repeat of the event.
    if (record.offset <= state.position) return drop;
    const isNew = features.update(state, item, record.offset);
    batch.changed.add(item.key);
    if (isNew) {
      shared?.update(item);
      return ok;
    }
    batch.duplicates.push(record.offset);
    return drop;
  };
}
