import { contentHash } from './canonical.ts';
import { type Compiling, expressionAt, refersTo } from './compile-context.ts';
import type {
  CompiledAction,
  CompiledFeature,
  CompiledModel,
  CompiledPlacement,
  CompiledTrigger,
} from './compiled.ts';
import { durationMs } from './duration.ts';
import { checkEventType, eventNames } from './event-names.ts';
import type { CelType } from './expression-names.ts';
import { featureOfInput } from './model-inputs.ts';

const mostActions = 200;

/** Placements with the actions that can be shown in them. */
export function compilePlacements(
  compiling: Compiling,
  all: ReadonlyMap<string, CompiledAction>,
  models: ReadonlyMap<string, CompiledModel>,
  features: readonly CompiledFeature[],
): ReadonlyMap<string, CompiledPlacement> {
  const { source, report } = compiling;
  const placements = new Map<string, CompiledPlacement>();
  for (const [name, placement] of Object.entries(source.placements)) {
    const path = ['placements', name];
    if (placement.model !== undefined) refersTo(compiling, 'models', placement.model, [...path, 'model']);
    const actions = [...all.values()].filter((action) =>
      source.actions[action.name]?.placements.includes(name),
    );
    if (actions.length > mostActions) {
      report(path, `expected at most ${mostActions} actions in a placement but found ${actions.length}`, {
        at: 'key',
      });
    }
    const model = placement.model === undefined ? null : (models.get(placement.model) ?? null);
    const expiresMs = durationMs(placement.expires);
    const policy = policyOf(compiling, name, actions, model, features);
    placements.set(name, { name, expiresMs, model, actions, policy });
  }
  return placements;
}

/** Everything that decides in a placement, by content: a change of any of it is another policy. */
function policyOf(
  { source }: Compiling,
  placement: string,
  actions: readonly CompiledAction[],
  model: CompiledModel | null,
  features: readonly CompiledFeature[],
): string {
  const expressions = actions.flatMap((action) => [
    action.eligible,
    action.value,
    action.weight,
    action.lever,
  ]);
  const read = new Set(
    expressions.flatMap((one) => (one !== null && typeof one === 'object' ? one.reads : [])),
  );
  for (const input of model?.inputs ?? []) read.add(featureOfInput(input) ?? input);
  return contentHash('policy', {
    placement,
    expires: source.placements[placement]?.expires,
    // In order: it breaks ties.
    actions: actions.map(({ name }) => [name, { ...source.actions[name], description: undefined }]),
    model: model === null ? null : { ...model, path: undefined },
    features: features.filter(({ name }) => read.has(name)).map(({ name, hash }) => [name, hash]),
  });
}

/** Triggers in the order of the file. */
export function compileTriggers(
  compiling: Compiling,
  placements: ReadonlyMap<string, CompiledPlacement>,
  features: ReadonlyMap<string, CelType>,
): readonly CompiledTrigger[] {
  const triggers: CompiledTrigger[] = [];
  for (const [name, trigger] of Object.entries(compiling.source.triggers)) {
    const path = ['triggers', name];
    checkTriggerType(compiling, trigger.on, [...path, 'on']);
    const event = eventNames(compiling, [trigger.on]);
    const names = { features, event, action: null, context: false };
    const when =
      trigger.when === undefined
        ? null
        : expressionAt(compiling, [...path, 'when'], trigger.when, 'bool', names);
    refersTo(compiling, 'placements', trigger.placement, [...path, 'placement']);
    const placement = placements.get(trigger.placement);
    if (placement !== undefined) triggers.push({ name, on: trigger.on, when, placement });
  }
  return triggers;
}

function checkTriggerType(compiling: Compiling, type: string, path: readonly string[]): void {
  if (type.startsWith('$'))
    compiling.report(path, "expected an event that subjects send but found one of the engine's own");
  else if (type === '*') compiling.report(path, 'expected one event type but found "*"');
  else checkEventType(compiling, type, path);
}
