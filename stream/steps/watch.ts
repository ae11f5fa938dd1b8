import { asTenantId, decisionIdOf, isSimulated } from '../../core/index.ts';
import type { Question } from '../../decisions/index.ts';
import type { AbsenceTrigger, ConditionTrigger } from '../../workspace/index.ts';
import { type Batch, ok, type StepResult } from '../batch.ts';
import { pendingTransfers, seenAs } from '../features/index.ts';
import { keptText, textOf } from '../features/parts/text.ts';
import { isSystemType } from '../features/plan.ts';
import type { SubjectState } from '../features/port.ts';
import {
  addPending,
  cancelPending,
  earliestPending,
  forgetMarks,
  heldOf,
  makeTimers,
  tellEnd,
  withStretch,
} from '../features/timers/index.ts';
import type { Item } from '../item.ts';
import { watermarkOf } from '../partition-state.ts';
import type { FireParts } from '../timers/fire.ts';
import { readOnce } from '../timers/question.ts';
import { defaultLatenessMs, openEnds } from '../timers/rules.ts';
import { schedule } from '../timers/schedule.ts';

/**
 * After an event has counted: conditions that have become true, or are still, ask for a decision; what waits for
 * something begins or ends to wait; and the subject's entry in the index is moved where it would be late. It is left
 * where it is early: what comes up is looked at then, so most events write nothing there.
 */
export function watchTriggers({ rules, features, workspace, clock }: FireParts) {
  return function watch(item: Item, batch: Batch): StepResult {
    if (rules.isIdle) return ok;
    const { state } = item;
    if (state === null) return ok;
    if (rules.onlyForgets && state.timers === null) {
      const expiry = item.time + rules.ttlMs;
      if (expiry < state.indexed) schedule(batch, item.tenant, item.key, state, expiry);
      return ok;
    }
    if (!isSystemType(item.type)) {
      if (rules.gapMs !== Infinity) followSession(item, state, batch);
      if (!item.isLate && rules.conditions.length > 0) watchConditions(item, state, batch);
      const absences = rules.absences.get(item.type);
      if (absences !== undefined) {
        for (const trigger of absences.ends) end(trigger, item, state);
        if (!item.isLate) for (const trigger of absences.begins) begin(trigger, item, state, batch);
        if (state.timers !== null)
          forgetMarks(state.timers, watermarkOf(batch.partitionState, item.tenant).at);
      }
    }
    const earliest = Math.min(
      state.timers === null ? Infinity : earliestPending(state.timers),
      isSystemType(item.type) ? Infinity : item.time + rules.gapMs,
      item.time + rules.ttlMs,
    );
    if (earliest < state.indexed) schedule(batch, item.tenant, item.key, state, earliest);
    return ok;
  };

  function followSession(item: Item, state: SubjectState, batch: Batch): void {
    const { session, time } = item;
    const simulated = item.isSimulated;
    if (simulated || state.timers !== null || session !== null) {
      state.timers ??= makeTimers();
      state.timers.isSimulated = simulated;
    }
    if (session !== null && state.timers !== null) {
      const added = { name: keptText(session), first: time, last: time };
      const before = state.newest - workspace.deduplicationMs - rules.gapMs;
      const { timers } = state;
      timers.stretches = withStretch(timers.stretches, added, rules.gapMs);
      if ((timers.stretches[0]?.last ?? Infinity) < before)
        timers.stretches = timers.stretches.filter(({ last }) => last >= before);
    }
    // What came along with a state is no doing of the event that brought it.
    if (item.isLate && !item.arrival?.transfer?.state) passOverEnds(item, state, batch);
  }

  /** A late event starts no decision: a session that is over the moment it makes it counts as told. */
  function passOverEnds({ tenant, time }: Item, state: SubjectState, batch: Batch): void {
    const now = Math.max(watermarkOf(batch.partitionState, tenant).at, state.newest);
    for (const { name, first, last, due } of openEnds(state, features, rules)) {
      if (time < first || time > last || due + rules.delayMs > now) continue;
      state.timers ??= makeTimers();
      tellEnd(state.timers, { name, last });
    }
  }

  function watchConditions(item: Item, state: SubjectState, batch: Batch): void {
    // The subject's present: of an event that comes late it is not the event's time.
    const time = Math.max(item.time, state.newest);
    const values = readOnce(() => features.read(state, time), clock);
    for (const trigger of rules.conditions) {
      const scope = { features: values().values, event: null, action: null, context: null };
      const result = trigger.when.evaluate(scope);
      const isTrue = result.kind === 'value' && result.value;
      if (fires(trigger, isTrue, time, state))
        batch.questions.push(questionOf(trigger, item, time, state, batch, values()));
    }
  }

  function questionOf(
    trigger: ConditionTrigger,
    item: Item,
    time: number,
    state: SubjectState,
    batch: Batch,
    { values, ms }: ReturnType<ReturnType<typeof readOnce>>,
  ): Question {
    const { event, record } = item;
    const pending = pendingTransfers(state, time);
    return {
      id: decisionIdOf(asTenantId(item.tenant), item.subject, event.id, trigger.name, trigger.placement.name),
      tenant: item.tenant,
      subject: item.subject,
      session: state.session,
      placement: trigger.placement,
      startedBy: { kind: 'trigger', trigger: trigger.name, event: event.id, eventType: event.type },
      time,
      simulated: isSimulated(event),
      log: { partition: batch.partition, position: record.offset },
      features: values,
      ...(pending.length > 0 ? { identity: { pendingTransfers: pending } } : {}),
      seenAs: seenAs(state, item.subject),
      event: event.properties,
      context: null,
      receivedAt: record.appendedAt,
      workspace: workspace.hash,
      stopped: batch.partitionState.stopped.has(item.tenant),
      featuresMs: ms,
    };
  }

  function begin(trigger: AbsenceTrigger, item: Item, state: SubjectState, batch: Batch): void {
    if (trigger.where !== null) {
      const scope = { features: {}, event: item.properties, action: null, context: null };
      const result = trigger.where.evaluate(scope);
      if (result.kind !== 'value' || !result.value) return;
    }
    const key = keyOf(trigger, item);
    if (key === null) return;
    state.timers ??= makeTimers();
    const from = item.time;
    const due = from + trigger.withinMs;
    const wait = { trigger: trigger.name, key, from, due, isSimulated: item.isSimulated };
    if (addPending(state.timers, wait, from + keepMs(trigger)) === 'full') batch.timersRefused += 1;
  }

  function end(trigger: AbsenceTrigger, item: Item, state: SubjectState): void {
    const key = keyOf(trigger, item);
    if (key === null) return;
    state.timers ??= makeTimers();
    cancelPending(state.timers, trigger.name, key, item.time, item.time + keepMs(trigger));
  }

  /** How long an event that settles waits is of use: to those that come as late as they may. */
  function keepMs({ after, withinMs }: AbsenceTrigger): number {
    const lateness = workspace.types.get(after)?.latenessMs ?? defaultLatenessMs;
    return withinMs + Math.max(rules.delayMs, lateness);
  }
}

function keyOf({ same }: AbsenceTrigger, item: Item): string | null {
  if (same === null) return '';
  const text = textOf(item.properties[same]);
  return text === null || text === '' ? null : keptText(text);
}

/** Whether a condition that is, or is not, true at this time starts a decision; keeps what must be known next time. */
export function fires(
  { name, repeats, cooldownMs }: ConditionTrigger,
  isTrue: boolean,
  time: number,
  state: SubjectState,
): boolean {
  const known = state.timers?.held.find(({ trigger }) => trigger === name);
  if (!isTrue && known === undefined) return false;
  state.timers ??= makeTimers();
  const held = known ?? heldOf(state.timers, name);
  const isCool = time >= held.firedAt + cooldownMs;
  const doesFire = isTrue && (repeats || !held.isTrue) && isCool;
  held.isTrue = isTrue;
  if (doesFire && cooldownMs > 0) held.firedAt = time;
  if (!isTrue && isCool) state.timers.held = state.timers.held.filter((one) => one !== held);
  return doesFire;
}
