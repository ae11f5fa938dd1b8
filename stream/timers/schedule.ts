import type { Batch } from '../batch.ts';
import type { SubjectState } from '../features/port.ts';

/** Moves a subject's entry in the index of timers with this batch; Infinity: it has none any more. */
export function schedule(batch: Batch, tenant: string, key: string, state: SubjectState, due: number): void {
  const entry = due === Infinity ? null : due;
  state.indexed = due;
  batch.changed.add(key);
  batch.timers.set(key, entry);
  batch.horizon?.set(tenant, key, entry);
}
