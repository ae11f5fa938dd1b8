import { systemTypes, tickProperties } from '../../schemas/index.ts';
import { type Batch, ok, type StepResult, wait } from '../batch.ts';
import type { SubjectState } from '../features/port.ts';
import type { Item } from '../item.ts';
import { watermarkOf } from '../partition-state.ts';
import { type FireParts, fire, look } from '../timers/fire.ts';
import { dueOf } from '../timers/rules.ts';
import { schedule } from '../timers/schedule.ts';
import { watermarkAfter } from '../timers/watermark.ts';

/** Subjects whose entries of the index are looked at in one batch: bounds what a commit holds. The next goes on. */
export const timersPerBatch = 1_000;
/** Decisions of timers in one batch, give or take those of one subject. */
export const timerDecisionsPerBatch = 2_000;

/**
 * Before an event counts: all timers that it makes due, in the order of due times, subjects and triggers. Everybody's
 * are due when the watermark has passed them, a subject's own also when its own event has. 'wait' when they are too
 * many for this batch: the event comes again in the next, when these have fired, and nothing else has changed.
 */
export function fireTimers(parts: FireParts, most = timersPerBatch) {
  const { rules, features } = parts;
  return function timers(item: Item, batch: Batch): StepResult {
    const { horizon } = batch;
    if (rules.isIdle || horizon === null) return ok;
    const time = timeOf(item);
    const mark = watermarkOf(batch.partitionState, item.tenant);
    const isTick = item.type === systemTypes.tick;
    const watermark = isTick ? Math.max(mark.at, time) : watermarkAfter(mark, item.key, time);
    const until = watermark - rules.delayMs;
    for (;;) {
      const head = horizon.head(item.tenant, until);
      if (head === null) break;
      if (head === 'unread') return wait;
      const state = batch.subjects.get(head.key);
      if (state === undefined || batch.looked >= most || batch.timersFired >= timerDecisionsPerBatch)
        return wait;
      batch.looked += 1;
      look(head.key, subjectIn(head.key, item.tenant), state, head.due, until, item, batch, parts);
    }
    // Nobody is forgotten by a clock of their own.
    if (rules.onlyForgets) return ok;
    if (!isTick) return item.state === null ? ok : fireOwn(item.key, item.state, time, item, batch);
    const led = leaderOf(item);
    const state = led === null ? undefined : batch.subjects.get(led.leader);
    if (led === null || state === undefined) return ok;
    return fireOwn(led.leader, state, Math.min(led.time, item.record.appendedAt), item, batch);
  };

  /** A subject's own timers by its own clock. Never its expiry: for that all others must have come so far. */
  function fireOwn(key: string, state: SubjectState, time: number, item: Item, batch: Batch): StepResult {
    if (state.indexed + rules.delayMs > time) return ok;
    for (;;) {
      const { timer } = dueOf(state, features, rules);
      if (timer + rules.delayMs > time) return ok;
      if (batch.timersFired >= timerDecisionsPerBatch) return wait;
      fire(subjectIn(key, item.tenant), state, timer, item, batch, parts);
      const after = dueOf(state, features, rules);
      schedule(batch, item.tenant, key, state, Math.min(after.timer, after.expiry));
    }
  }
}

/** Event time as placeInTime will settle it: never after the append time, here or where it was moved from. */
export const timeOf = (item: Item): number =>
  item.arrival === null ? Math.min(item.statedTime, item.record.appendedAt) : item.time;

/** The subject whose own clock a tick carries on, if any. */
export function leaderOf(item: Item): { readonly leader: string; readonly time: number } | null {
  const tick = tickProperties.safeParse(item.properties);
  return tick.success && tick.data.leader !== undefined ? tick.data.leader : null;
}

const subjectIn = (key: string, tenant: string): string => key.slice(tenant.length + 1);
