import { localTime } from '../core/index.ts';
import type { Verdict } from '../schemas/index.ts';
import type { CompiledAction } from '../workspace/index.ts';
import type { Question } from './question.ts';

/** A constraint that is known before the commit; caps, which only the commit knows, are settled in finish.ts. */
export type Constraint = (action: CompiledAction, question: Question) => Verdict | null;

/** A refusal always counts; silence does where consent is required. */
function consent({ consent: needed }: CompiledAction, { tenant, features }: Question): Verdict | null {
  if (needed === undefined) return null;
  const rule = needed.rule(tenant);
  if (rule === 'none') return null;
  const word = features[needed.feature] ?? null;
  if (word === 'true' || (rule === 'optional' && word !== 'false')) return null;
  return out(`no consent: ${needed.purpose}`, { [needed.feature]: word });
}

function liveSession(_action: CompiledAction, { placement, features }: Question): Verdict | null {
  if (placement.liveFeature === undefined) return null;
  const state = features[placement.liveFeature] ?? null;
  return state === 'connected' ? null : out('no live session', { [placement.liveFeature]: state });
}

/** In the subject's time zone, or the tenant's where that is not known or there is no such zone. */
function quietHours(
  _action: CompiledAction,
  { placement, tenant, features, time }: Question,
): Verdict | null {
  for (const { text, fromMinute, toMinute, feature, timezoneOf } of placement.quietHours ?? []) {
    const told = feature === null ? null : features[feature];
    const theirs = typeof told === 'string' ? localTime(told, time) : null;
    const timezone = theirs === null ? timezoneOf(tenant) : String(told);
    const minute = (theirs ?? localTime(timezone, time))?.minute ?? 0;
    const isQuiet =
      fromMinute < toMinute
        ? minute >= fromMinute && minute < toMinute
        : minute >= fromMinute || minute < toMinute;
    if (isQuiet) return out(text, { local_time: clockTime(minute), timezone });
  }
  return null;
}

/** Asked in this order of every candidate that its rules leave in; the first that objects decides. */
export const constraints: readonly Constraint[] = [consent, liveSession, quietHours];

const out = (rule: string, saw: Verdict['saw']): Verdict => ({ stage: 'constraints', rule, saw });

const clockTime = (minute: number): string =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
