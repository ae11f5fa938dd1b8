import { controlProperties, systemTypes } from '../../schemas/index.ts';
import { type Batch, dead, drop, ok, type StepResult } from '../batch.ts';
import type { Item } from '../item.ts';

/** `$control` events change what the partition does from their position on, so that replay does the same there. */
export function applyControl() {
  return function control(item: Item, batch: Batch): StepResult {
    if (item.type !== systemTypes.control) return ok;
    const parsed = controlProperties.safeParse(item.properties);
    if (!parsed.success)
      return dead('not_a_control', 'A $control event must say stop, resume, activate or use, and by whom.');
    const { stopped } = batch.partitionState;
    if (parsed.data.control === 'activate') {
      const { generation, workspace } = parsed.data;
      batch.activation = { generation, workspace };
      batch.partitionState.activation = { generation, workspace, position: item.record.offset };
    } else if (parsed.data.control === 'use') {
      batch.activation = { generation: null, workspace: parsed.data.workspace };
    } else if (parsed.data.control === 'stop') stopped.add(item.tenant);
    else stopped.delete(item.tenant);
    batch.partitionState.changed = true;
    return drop;
  };
}
