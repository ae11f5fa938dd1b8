import type { Compiling } from './compile-context.ts';
import type { CompiledAction, CompiledFeature, CompiledPlacement } from './compiled.ts';
import { featureOfInput } from './model-inputs.ts';

/**
 * Purpose limitation: a feature that states its purposes may serve only those. Reports every action of another
 * purpose (or of none) that reads such a feature, itself, through the model that scores it, or through features that
 * are computed from it.
 */
export function checkPurposes(
  compiling: Compiling,
  placements: ReadonlyMap<string, CompiledPlacement>,
  features: readonly CompiledFeature[],
): void {
  const { source, names, report } = compiling;
  const inputs = new Map(features.map(({ name, derived }) => [name, derived?.inputs ?? []]));
  const seen = new Set<string>();
  for (const placement of placements.values()) {
    for (const action of placement.actions) {
      for (const { feature, through, path } of readsOf(action, placement).flatMap((one) =>
        origins(one, inputs),
      )) {
        const allowed = source.features[feature]?.purposes;
        const key = [...path, feature].join('\n');
        if (allowed === undefined || seen.has(key)) continue;
        const isUnknown = action.purpose !== null && !names.purposes.has(action.purpose);
        if (isUnknown) continue;
        if (action.purpose !== null && allowed.includes(action.purpose)) continue;
        seen.add(key);
        const purpose = action.purpose === null ? 'states no purpose' : `serves ${action.purpose}`;
        report(
          path,
          `${feature}${through === '' ? '' : ` (which ${through} is computed from)`} may be used for ${allowed.join(', ') || 'nothing'} only, and action ${action.name} ${purpose}`,
        );
      }
    }
  }
}

interface ReadAt {
  readonly feature: string;
  readonly path: readonly (string | number)[];
}

/** A read, and all that it stands for: `through` is the feature that was read, where that is another. */
function origins(
  read: ReadAt,
  inputs: ReadonlyMap<string, readonly string[]>,
): readonly (ReadAt & { readonly through: string })[] {
  const all = new Set([read.feature]);
  for (const name of all) for (const input of inputs.get(name) ?? []) all.add(input);
  return [...all].map((feature) => ({
    ...read,
    feature,
    through: feature === read.feature ? '' : read.feature,
  }));
}

function readsOf(action: CompiledAction, placement: CompiledPlacement): readonly ReadAt[] {
  const { value, weight, lever } = action;
  const amounts = Object.entries({ value, weight, lever }).flatMap(([field, amount]) =>
    typeof amount === 'number' ? [] : [{ expression: amount, path: ['actions', action.name, field] }],
  );
  const own = [...action.rules, ...amounts].flatMap(({ expression, path }) =>
    expression.reads.map((feature) => ({ feature, path })),
  );
  const { model, fallback, shadows = [] } = placement;
  const scored = [model, fallback, ...shadows].flatMap((one) =>
    (one?.inputs ?? []).map((input, index) => ({
      feature: featureOfInput(input) ?? input,
      path: ['models', one?.id ?? '', 'inputs', index],
    })),
  );
  return [...own, ...scored];
}
