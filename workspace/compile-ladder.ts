import { type Compiling, refersTo } from './compile-context.ts';
import type { CompiledAction, CompiledModel, CompiledPlacement } from './compiled.ts';
import { quote } from './problems.ts';

/** What a placement falls back to, and who only watches: models below its own, and the action of last resort. */
export function compileLadder(
  compiling: Compiling,
  name: string,
  models: ReadonlyMap<string, CompiledModel>,
  actions: readonly CompiledAction[],
): Pick<CompiledPlacement, 'fallback' | 'shadows' | 'defaultAction'> {
  const { source, report } = compiling;
  const placement = source.placements[name];
  if (placement === undefined) return {};
  const path = ['placements', name];
  const { fallback, shadows, model } = placement;
  if (fallback !== undefined && refersTo(compiling, 'models', fallback, [...path, 'fallback'])) {
    if (model === undefined)
      report([...path, 'fallback'], 'expected a model above it; write it as model', { at: 'key' });
    else if (model === fallback)
      report([...path, 'fallback'], `expected another model than ${quote(model)}, which it stands in for`);
  }
  shadows.forEach((shadow, index) => {
    const place = [...path, 'shadows', index];
    if (!refersTo(compiling, 'models', shadow, place)) return;
    if (shadow === model || shadows.indexOf(shadow) !== index)
      report(place, `expected each model once but found ${quote(shadow)} again`);
  });
  const cheap = fallback === undefined ? undefined : models.get(fallback);
  const watching = shadows.flatMap((shadow) => models.get(shadow) ?? []);
  const defaultAction = defaultOf(compiling, name, actions);
  return {
    ...(cheap === undefined ? {} : { fallback: cheap }),
    ...(watching.length === 0 ? {} : { shadows: watching }),
    ...(defaultAction === undefined ? {} : { defaultAction }),
  };
}

function hasQuietHours({ placements, channels }: Compiling['source'], name: string): boolean {
  const { quiet_hours, channel } = placements[name] ?? {};
  const shared = channel === undefined ? undefined : channels?.[channel]?.quiet_hours;
  return quiet_hours !== undefined || shared !== undefined;
}

function hasCaps({ placements, channels }: Compiling['source'], name: string): boolean {
  const { caps = [], channel } = placements[name] ?? {};
  const shared = channel === undefined ? [] : (channels?.[channel]?.caps ?? []);
  return caps.length + shared.length > 0;
}

/** It is shown where neither caps nor consent nor features can be read, so it may depend on none of them. */
function defaultOf(
  { source, names, report }: Compiling,
  name: string,
  actions: readonly CompiledAction[],
): CompiledAction | undefined {
  const wanted = source.placements[name]?.default;
  if (wanted === undefined) return undefined;
  const path = ['placements', name, 'default'];
  const action = actions.find((one) => one.name === wanted);
  if (action === undefined) {
    // One whose own shape is wrong is told of there.
    if (!names.actions.has(wanted) || Object.hasOwn(source.actions, wanted))
      report(path, `expected an action that can be shown in ${quote(name)} but found ${quote(wanted)}`);
    return undefined;
  }
  const depends = [
    action.caps.length > 0 || hasCaps(source, name) ? 'caps' : null,
    ...new Set(action.rules.map(({ path: [, , key = ''] }) => key)),
    action.purpose === null ? null : 'a purpose',
    action.mode === 'act' ? null : 'mode observe',
    action.gate === null ? null : 'a gate',
    source.placements[name]?.live === true ? 'a placement for live sessions' : null,
    hasQuietHours(source, name) ? 'quiet hours' : null,
  ].filter((one) => one !== null);
  if (depends.length === 0) return action;
  report(
    path,
    `expected an action that needs nothing known of the subject but ${quote(wanted)} has ${depends.join(' and ')}`,
  );
  return undefined;
}
