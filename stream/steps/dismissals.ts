import { outcomeProperties, systemTypes } from '../../schemas/index.ts';
import type { CompiledCap, CompiledWorkspace } from '../../workspace/index.ts';
import { type Batch, ok, type StepResult } from '../batch.ts';
import type { Item } from '../item.ts';

/**
 * A dismissal of an action that cools down is marked among the subject's caps, with this very commit and at its place
 * among the decisions, so that both the stream's and requests' see it from there on.
 */
export function noteDismissals(workspace: CompiledWorkspace) {
  const cooling = new Map<string, CompiledCap>();
  for (const { actions } of workspace.placements.values())
    for (const { name, caps } of actions)
      for (const cap of caps) if (cap.role === 'after') cooling.set(name, cap);

  return function note(item: Item, batch: Batch): StepResult {
    if (item.type !== systemTypes.outcome || cooling.size === 0) return ok;
    const told = outcomeProperties.safeParse(item.properties);
    if (!told.success || told.data.outcome !== 'dismissed') return ok;
    const cap = cooling.get(told.data.action);
    if (cap?.windowMs == null) return ok;
    const { tenant, subject, time } = item;
    batch.moves.push({
      after: batch.questions.length,
      item: { kind: 'mark', tenant, subject, cap: cap.id, windowMs: cap.windowMs, at: time },
    });
    return ok;
  };
}
