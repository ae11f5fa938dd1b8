import { releaseDraft } from '../../decisions/index.ts';
import { reviewProperties, systemTypes } from '../../schemas/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { type Batch, dead, ok, type StepResult } from '../batch.ts';
import type { Item } from '../item.ts';
import { payloadOf } from '../publish.ts';

/**
 * A person's `$review` lets a decision that waited be executed: it is published as any other, in the commit of this
 * event, and so once. What was refused, expired or only looked at changes nothing here.
 */
export function releaseReviewed(workspace: CompiledWorkspace) {
  return function release(item: Item, batch: Batch): StepResult {
    if (item.type !== systemTypes.review) return ok;
    const parsed = reviewProperties.safeParse(item.properties);
    if (!parsed.success || item.source !== 'engine')
      return dead('not_a_review', 'A $review event must be a verdict that the review queue wrote.');
    const { verdict, release, by } = parsed.data;
    if (release === undefined || (verdict !== 'approved' && verdict !== 'edited')) return ok;
    const placement = workspace.placements.get(parsed.data.placement);
    const action = placement?.actions.find(({ name }) => name === parsed.data.action);
    if (placement === undefined || action === undefined)
      return dead(
        'unknown_action',
        `"${parsed.data.action}" was approved in "${parsed.data.placement}", but is not there in the workspace any more.`,
      );
    const { tenant, subject, time: at } = item;
    const stopped = batch.partitionState.stopped.has(tenant);
    const draft = releaseDraft({ release, verdict, by, at, action, placement, subject, stopped });
    batch.moves.push({
      after: batch.questions.length,
      item: { kind: 'decision', tenant, subject, payload: payloadOf(draft), choices: draft.choices },
    });
    return ok;
  };
}
