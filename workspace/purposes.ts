import type { Compiling } from './compile-context.ts';
import type { CompiledAction, CompiledPlacement, Expression } from './compiled.ts';

/**
 * Purpose limitation: a feature that states its purposes may serve only those. Reports every action of another
 * purpose (or of none) that reads such a feature, itself or through the model that scores it.
 */
export function checkPurposes(
  compiling: Compiling,
  placements: ReadonlyMap<string, CompiledPlacement>,
): void {
  const { source, names, report } = compiling;
  const seen = new Set<string>();
  for (const placement of placements.values()) {
    for (const action of placement.actions) {
      for (const { feature, path } of readsOf(action, placement)) {
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
          `${feature} may be used for ${allowed.join(', ') || 'nothing'} only, and action ${action.name} ${purpose}`,
        );
      }
    }
  }
}

function readsOf(
  action: CompiledAction,
  placement: CompiledPlacement,
): readonly { readonly feature: string; readonly path: readonly (string | number)[] }[] {
  const expressions = {
    eligible: action.eligible,
    value: action.value,
    weight: action.weight,
    lever: action.lever,
  };
  const own = Object.entries(expressions).flatMap(([field, expression]) =>
    isExpression(expression)
      ? expression.reads.map((feature) => ({ feature, path: ['actions', action.name, field] }))
      : [],
  );
  const { model } = placement;
  const scored = model?.inputs.map((feature, index) => ({
    feature,
    path: ['models', model.id, 'inputs', index],
  }));
  return [...own, ...(scored ?? [])];
}

function isExpression(
  value: number | Expression<boolean> | Expression<number> | null,
): value is Expression<boolean> | Expression<number> {
  return value !== null && typeof value === 'object';
}
