import type { Batch } from '../batch.ts';
import type { SubjectState } from '../features/port.ts';

/** Moves a subject's entry in the index of timers with this batch; Infinity: it has none any more. */
export function schedule(batch: Batch, tenant: string, key: string, state: SubjectState, due: number): void {
  state.indexed = due;
  batch.changed.add(key);
  enter(batch, tenant, key, due === Infinity ? null : due);
}

/** The entry alone, where no state stands behind it. */
export function enter(batch: Batch, tenant: string, key: string, due: number | null): void {
  batch.timers.set(key, due);
  batch.horizon?.set(tenant, key, due);
}
