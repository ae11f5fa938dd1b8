import type { Clock } from '../../core/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { Batch } from '../batch.ts';
import { pendingTransfers, seenAs } from '../features/index.ts';
import { visitId } from '../features/parts/sessions.ts';
import type { FeatureSet, SubjectState } from '../features/port.ts';
import { makeTimers, takePending, tellEnd } from '../features/timers/index.ts';
import type { Item } from '../item.ts';
import { type Firing, readOnce, timerQuestion } from './question.ts';
import { dueOf, isTold, openEnds, type TimerRules } from './rules.ts';
import { schedule } from './schedule.ts';

export interface FireParts {
  readonly workspace: CompiledWorkspace;
  readonly features: FeatureSet;
  readonly clock: Clock;
  readonly rules: TimerRules;
}

/**
 * What becomes of a subject whose entry in the index has come up: what is due fires, earliest first and by trigger; what
 * is not yet is looked at again when it is; who has been silent for long enough is forgotten. One due time at each call,
 * so that the timers of all subjects fire in the order of their due times. `until` is what time has come to: all that is
 * due by then is.
 */
export function look(
  key: string,
  subject: string,
  state: SubjectState,
  entry: number,
  until: number,
  item: Item,
  batch: Batch,
  parts: FireParts,
): void {
  const { features, rules } = parts;
  const { timer, expiry } = dueOf(state, features, rules);
  const next = Math.min(timer, expiry);
  if (next > entry) {
    if (next === Infinity && state.position < 0 && rules.ttlMs !== Infinity)
      expireCaps(key, subject, until, item, batch, rules);
    else schedule(batch, item.tenant, key, state, next);
    return;
  }
  if (timer === next) fire(subject, state, next, item, batch, parts);
  if (expiry === next) {
    const blank = features.empty();
    batch.subjects.set(key, blank);
    if (key === item.key) item.state = blank;
    batch.changed.add(key);
    batch.expired.add(key);
    expireCaps(key, subject, until, item, batch, rules);
    return;
  }
  const after = dueOf(state, features, rules);
  schedule(batch, item.tenant, key, state, Math.min(after.timer, after.expiry));
}

/**
 * Of someone who has no state, or none any more: caps that no longer count go, and if others are left they are looked at
 * again one `ttl` later, unless the subject has come back by then. Only the commit knows whether there are any, so that
 * entry is not known here for certain. Counted from what time has come to, not from when the subject was due, or each of
 * many events from long ago would leave an entry that is due at once, and end its batch.
 */
function expireCaps(
  key: string,
  subject: string,
  at: number,
  { tenant }: Item,
  batch: Batch,
  { ttlMs }: TimerRules,
): void {
  batch.horizon?.set(tenant, key, null);
  batch.horizon?.doubtFrom(tenant, at + ttlMs);
  batch.timers.set(key, at + ttlMs);
  batch.moves.push({
    after: batch.questions.length,
    item: { kind: 'expire', tenant, subject, at, ttlMs },
  });
}

/** Asks for a decision for each trigger whose timer is due at exactly this time, and takes these timers out. */
export function fire(
  subject: string,
  state: SubjectState,
  due: number,
  item: Item,
  batch: Batch,
  parts: FireParts,
): void {
  const { features, workspace, clock } = parts;
  const values = readOnce(() => features.read(state, due), clock);
  for (const firing of firingsOf(state, due, parts)) {
    const { when } = firing.trigger;
    if (when !== null) {
      const scope = { features: values().values, event: null, action: null, context: null };
      const condition = when.evaluate(scope);
      if (condition.kind !== 'value' || !condition.value) continue;
    }
    const { values: vector, ms } = values();
    const pending = pendingTransfers(state, due);
    const question = timerQuestion(firing, subject, vector, pending, item, batch, workspace.hash, ms);
    batch.questions.push({ ...question, seenAs: seenAs(state, subject) });
    batch.timersFired += 1;
  }
}

function firingsOf(state: SubjectState, due: number, { features, rules }: FireParts): Firing[] {
  const firings: Firing[] = [];
  const ends = openEnds(state, features, rules).filter((end) => end.due === due);
  if (ends.length > 0) {
    state.timers ??= makeTimers();
    const { timers } = state;
    const all = features.sessionEnds(state);
    timers.ended = timers.ended.filter((told) =>
      all.some((end) => isTold({ ...timers, ended: [told] }, end)),
    );
    for (const { name, first, last } of ends) {
      tellEnd(timers, { name, last });
      const session = name ?? visitId(first);
      for (const trigger of rules.sessionEnds)
        firings.push({ trigger, due, key: name ?? '', session, isSimulated: timers.isSimulated });
    }
  }
  for (const { trigger, key, isSimulated } of state.timers === null ? [] : takePending(state.timers, due)) {
    const known = rules.byName.get(trigger);
    // A trigger that the workspace has no longer fires no more.
    if (known?.kind === 'absence')
      firings.push({ trigger: known, due, key, session: state.session, isSimulated });
  }
  return firings.sort((a, b) => compare(a.trigger.name, b.trigger.name) || compare(a.key, b.key));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
