import type { WorkspaceSource } from '../schemas/index.ts';
import { checkProperty } from './check-property.ts';
import { type Compiling, expressionAt, refersTo } from './compile-context.ts';
import type { CompiledPlacement, CompiledTrigger, Expression } from './compiled.ts';
import { durationMs, formatDuration } from './duration.ts';
import { checkEventType, eventNames, sessionEnd } from './event-names.ts';
import type { CelType } from './expression-names.ts';
import { quote } from './problems.ts';

type TriggerSource = WorkspaceSource['triggers'][string];
type Field = Exclude<keyof TriggerSource, 'description' | 'placement'>;

/** A subject keeps something for each trigger, so there is a bound. */
const mostTriggers = 64;

/** The sorts of trigger: by which of these keys a trigger has. */
const sorts: Readonly<
  Record<CompiledTrigger['kind'], { readonly needs: readonly Field[]; readonly may: readonly Field[] }>
> = {
  event: { needs: ['on'], may: ['when'] },
  session_end: { needs: ['on'], may: ['when'] },
  condition: { needs: ['when'], may: ['while', 'cooldown'] },
  absence: { needs: ['after', 'absent', 'within'], may: ['where', 'same', 'when'] },
};

/** Triggers in the order of the file. */
export function compileTriggers(
  compiling: Compiling,
  placements: ReadonlyMap<string, CompiledPlacement>,
  features: ReadonlyMap<string, CelType>,
): readonly CompiledTrigger[] {
  const { source, report } = compiling;
  const entries = Object.entries(source.triggers);
  if (entries.length > mostTriggers)
    report(['triggers'], `expected at most ${mostTriggers} triggers but found ${entries.length}`, {
      at: 'key',
    });
  const triggers: CompiledTrigger[] = [];
  for (const [name, trigger] of entries) {
    const compiled = compileTrigger(compiling, name, trigger, features);
    refersTo(compiling, 'placements', trigger.placement, ['triggers', name, 'placement']);
    const placement = placements.get(trigger.placement);
    if (compiled !== null && placement !== undefined) triggers.push({ ...compiled, placement });
  }
  return triggers;
}

type WithoutPlacement<T> = T extends unknown ? Omit<T, 'placement'> : never;

function compileTrigger(
  compiling: Compiling,
  name: string,
  trigger: TriggerSource,
  features: ReadonlyMap<string, CelType>,
): WithoutPlacement<CompiledTrigger> | null {
  const { report, source } = compiling;
  const path = ['triggers', name];
  const kind = kindOf(trigger);
  if (kind === null) {
    report(path, 'expected what starts it: on, after (with absent and within), or when', { at: 'key' });
    return null;
  }
  if (!hasTheRightKeys(compiling, path, trigger, kind)) return null;
  const when = (types: readonly string[]): Expression<boolean> | null => {
    if (trigger.when === undefined) return null;
    const event = types.length === 0 ? null : eventNames(compiling, types);
    const names = { features, event, action: null, context: false };
    return expressionAt(compiling, [...path, 'when'], trigger.when, 'bool', names);
  };
  switch (kind) {
    case 'event': {
      const on = trigger.on ?? '';
      checkTriggerType(compiling, on, [...path, 'on']);
      return { kind, name, on, when: when([on]) };
    }
    case 'session_end':
      if (compiling.names.types.has(sessionEnd))
        report(
          ['types', sessionEnd],
          'expected another name: in triggers session_end is the end of a session',
          {
            at: 'key',
          },
        );
      checkTtl(compiling, [...path, 'on'], source.session.gap, 'the gap of sessions');
      return { kind, name, when: when([]) };
    case 'condition': {
      const condition = when([]);
      if (condition === null) return null;
      const cooldownMs = trigger.cooldown === undefined ? 0 : durationMs(trigger.cooldown);
      return { kind, name, when: condition, repeats: trigger.while === true, cooldownMs };
    }
    case 'absence':
      return absenceOf(compiling, name, trigger, when([]));
  }
}

function absenceOf(
  compiling: Compiling,
  name: string,
  trigger: TriggerSource,
  when: Expression<boolean> | null,
): WithoutPlacement<CompiledTrigger> {
  const { source, report } = compiling;
  const path = ['triggers', name];
  const after = trigger.after ?? '';
  const absent = [trigger.absent ?? []].flat();
  const within = trigger.within ?? '1s';
  checkTriggerType(compiling, after, [...path, 'after']);
  absent.forEach((type, index) => {
    checkTriggerType(
      compiling,
      type,
      Array.isArray(trigger.absent) ? [...path, 'absent', index] : [...path, 'absent'],
    );
    if (type === after)
      report(
        [...path, 'absent'],
        `expected another event type than after: each ${quote(after)} begins the wait anew`,
      );
  });
  const withinMs = durationMs(within);
  if (withinMs < durationMs(source.timers.delay))
    report(
      [...path, 'within'],
      `expected at least the delay of timers, ${source.timers.delay}, but found ${quote(within)}`,
    );
  checkTtl(compiling, [...path, 'within'], within, 'this wait');
  const event = eventNames(compiling, [after]);
  const where =
    trigger.where === undefined
      ? null
      : expressionAt(compiling, [...path, 'where'], trigger.where, 'bool', {
          features: null,
          event,
          action: null,
          context: false,
        });
  if (trigger.same !== undefined)
    checkProperty(compiling, [after, ...absent], trigger.same, 'text', [...path, 'same']);
  return {
    kind: 'absence',
    name,
    after,
    absent: new Set(absent),
    withinMs,
    where,
    same: trigger.same ?? null,
    when,
  };
}

/** A subject forgotten before its timer is due would never hear of it. */
function checkTtl({ source, report }: Compiling, path: readonly string[], needs: string, what: string): void {
  const { ttl } = source.state;
  if (ttl === undefined) return;
  const least = durationMs(needs) + durationMs(source.timers.delay);
  if (durationMs(ttl) < least)
    report(
      path,
      `expected subjects to be remembered for longer than ${what} and the delay of timers: state.ttl is ${ttl}, at least ${formatDuration(least)} is needed`,
    );
}

function kindOf(trigger: TriggerSource): CompiledTrigger['kind'] | null {
  if (trigger.on === sessionEnd) return 'session_end';
  if (trigger.on !== undefined) return 'event';
  if (trigger.after !== undefined || trigger.absent !== undefined || trigger.within !== undefined)
    return 'absence';
  return trigger.when === undefined ? null : 'condition';
}

const inWords: Readonly<Record<CompiledTrigger['kind'], string>> = {
  event: 'a trigger on an event',
  session_end: 'a trigger at the end of a session',
  condition: 'a trigger that has only a condition',
  absence: 'a trigger of absence',
};

function hasTheRightKeys(
  { report }: Compiling,
  path: readonly string[],
  trigger: TriggerSource,
  kind: CompiledTrigger['kind'],
): boolean {
  const { needs, may } = sorts[kind];
  let isRight = true;
  const wrong = (at: readonly string[], message: string, options?: { at: 'key' }): void => {
    isRight = false;
    report(at, message, options);
  };
  for (const field of needs) {
    if (trigger[field] === undefined)
      wrong(path, `${inWords[kind]} needs ${needs.join(', ')}: ${field} is missing`, { at: 'key' });
  }
  for (const field of Object.keys(trigger) as (keyof TriggerSource)[]) {
    if (field === 'description' || field === 'placement' || trigger[field] === undefined) continue;
    if (!needs.includes(field) && !may.includes(field))
      wrong([...path, field], `${inWords[kind]} has no ${field}; it has ${[...needs, ...may].join(', ')}`, {
        at: 'key',
      });
  }
  if (trigger.while === true && trigger.cooldown === undefined)
    wrong([...path, 'while'], 'expected a cooldown too: without one every event would start a decision', {
      at: 'key',
    });
  return isRight;
}

function checkTriggerType(compiling: Compiling, type: string, path: readonly (string | number)[]): void {
  if (type.startsWith('$'))
    compiling.report(path, "expected an event that subjects send but found one of the engine's own");
  else if (type === '*') compiling.report(path, 'expected one event type but found "*"');
  else checkEventType(compiling, type, path);
}
