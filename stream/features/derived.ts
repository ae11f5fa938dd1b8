import type { FeatureValue } from '../../schemas/index.ts';
import type { CompiledFeature } from '../../workspace/index.ts';

/**
 * Fills in the features that are computed from others (`ratio`, `derived`), each after those it reads, whatever their
 * order in the workspace. They keep no state: this is all they cost, and only when features are read.
 */
export type ComputeDerived = (values: Record<string, FeatureValue>) => void;

export function makeDerived(features: readonly CompiledFeature[]): ComputeDerived {
  const byName = new Map(features.map((feature) => [feature.name, feature]));
  const ordered = new Map<string, CompiledFeature['derived']>();
  // The workspace compiler refuses circles, so this ends.
  const visit = ({ name, derived }: CompiledFeature): void => {
    if (derived === null || ordered.has(name)) return;
    for (const input of derived.inputs) {
      const feature = byName.get(input);
      if (feature !== undefined) visit(feature);
    }
    ordered.set(name, derived);
  };
  features.forEach(visit);
  const steps = [...ordered];
  return (values) => {
    for (const [name, derived] of steps) values[name] = derived?.compute(values) ?? null;
  };
}
