import type { Batch, Step, StepResult } from '../batch.ts';
import type { Item } from '../item.ts';
import type { FireParts } from '../timers/fire.ts';
import { dueOf } from '../timers/rules.ts';
import { schedule } from '../timers/schedule.ts';

/**
 * After identity has moved a state: what arrived may be due before anything of the subject's own, and what is left of a
 * state that went away must be forgotten in its time: that may be sooner than the state would have been, since the ids
 * that it remembered are gone.
 */
export function indexMoved({ rules, features }: FireParts, follow: Step): Step {
  return function followAndIndex(item: Item, batch: Batch): StepResult {
    const result = follow(item, batch);
    if (rules.isIdle || (result.kind !== 'drop' && item.arrival === null)) return result;
    const { state } = item;
    if (state === null || !batch.changed.has(item.key)) return result;
    const { timer, expiry } = dueOf(state, features, rules);
    const due = Math.min(timer, expiry);
    if (due < state.indexed) schedule(batch, item.tenant, item.key, state, due);
    return result;
  };
}
