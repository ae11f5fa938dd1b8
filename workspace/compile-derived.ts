import type { FeatureSource, FeatureVector } from '../schemas/index.ts';
import { contentHash } from './canonical.ts';
import { type Compiling, expressionAt, refersTo } from './compile-context.ts';
import { isSharedFeature, sharedKeyOf } from './compile-shared.ts';
import type { CompiledFeature, Derivation } from './compiled.ts';
import type { CelType } from './expression-names.ts';
import { type Path, quote } from './problems.ts';

export type DerivedSource = Extract<FeatureSource, { kind: 'ratio' | 'derived' }>;

/**
 * The features that are computed from others: each by its name, with a hash that covers all it is computed from.
 * A feature that is computed from itself, directly or through others, is reported once for each such circle.
 */
export function compileDerived(
  compiling: Compiling,
  sources: ReadonlyMap<string, DerivedSource>,
  stored: ReadonlyMap<string, CompiledFeature>,
  types: ReadonlyMap<string, CelType>,
): ReadonlyMap<string, CompiledFeature> {
  const derivations = new Map(
    [...sources].map(([name, source]) => [name, derivationOf(compiling, name, source, types)]),
  );
  const compiled = new Map<string, CompiledFeature>();

  /** `above`: the features on whose behalf this one is compiled, the first of them first. */
  function hashOf(name: string, above: readonly string[]): string {
    const source = sources.get(name);
    const derivation = derivations.get(name);
    if (source === undefined || derivation === undefined) return stored.get(name)?.hash ?? '';
    const known = compiled.get(name);
    if (known !== undefined) return known.hash;
    if (above.includes(name)) {
      const circle = [...above.slice(above.indexOf(name)), name];
      const path = ['features', above.at(-1) ?? name, ...placeOf(sources.get(above.at(-1) ?? name), name)];
      compiling.report(
        path,
        `expected other features but ${name} is computed from itself (${circle.join(' <- ')})`,
      );
      return '';
    }
    const inputs = derivation.inputs.map((input) => [input, hashOf(input, [...above, name])]);
    const { description: _, purposes: __, ...definition } = source;
    const hash = contentHash('derived feature', { definition, inputs });
    compiled.set(name, { ...stateless, name, kind: source.kind, hash, derived: derivation });
    return hash;
  }

  for (const name of sources.keys()) hashOf(name, []);
  return compiled;
}

const stateless = {
  types: new Set<string>(),
  where: null,
  bucketMs: 0,
  buckets: 0,
  property: null,
  propertyType: 'string',
  scale: 0,
  by: null,
  keys: 0,
  n: 0,
  max: 0,
  measure: null,
  halfLifeMs: 0,
  precision: 0,
  windowMs: 0,
  withinMs: 0,
  steps: [],
} as const;

/** Where a definition names an input. */
function placeOf(source: DerivedSource | undefined, input: string): Path {
  if (source?.kind !== 'ratio') return ['expression'];
  return [source.numerator === input ? 'numerator' : 'denominator'];
}

function derivationOf(
  compiling: Compiling,
  name: string,
  source: DerivedSource,
  features: ReadonlyMap<string, CelType>,
): Derivation {
  const path = ['features', name];
  if (source.kind === 'ratio') return ratioOf(compiling, source, path, features);
  const expression = expressionAt(
    compiling,
    [...path, 'expression'],
    source.expression,
    source.type === 'boolean' ? 'bool' : 'number',
    { features, event: null, action: null, context: false },
  );
  if (expression?.reads.length === 0)
    compiling.report(
      [...path, 'expression'],
      'expected an expression over other features but this reads none, so it is always the same: write its value where it is used',
    );
  const shared = expression?.reads.find((input) => isSharedFeature(compiling.source, input));
  if (shared !== undefined)
    compiling.report(
      [...path, 'expression'],
      `expected features of the subject but ${quote(shared)} is shared; divide two shared ones with a ratio, or compute in the action's own expressions`,
    );
  return {
    inputs: expression?.reads ?? [],
    compute(values) {
      const result = expression?.evaluate({ features: values, event: null, action: null, context: null });
      return result?.kind === 'value' ? result.value : null;
    },
  };
}

function ratioOf(
  compiling: Compiling,
  { numerator, denominator, when_zero: whenZero }: Extract<DerivedSource, { kind: 'ratio' }>,
  path: Path,
  features: ReadonlyMap<string, CelType>,
): Derivation {
  const report = (key: string, message: string): void => compiling.report([...path, key], message);
  for (const [key, feature] of [
    ['numerator', numerator],
    ['denominator', denominator],
  ] as const) {
    const type = features.get(feature);
    if (!refersTo(compiling, 'features', feature, [...path, key])) continue;
    const { source } = compiling;
    if (isSharedFeature(source, numerator) || isSharedFeature(source, denominator)) {
      const other = key === 'numerator' ? denominator : numerator;
      const fits =
        isSharedFeature(source, feature) &&
        (!isSharedFeature(source, other) || sharedKeyOf(source, feature) === sharedKeyOf(source, other));
      if (!fits) report(key, `expected two shared features with the same by but found ${quote(feature)}`);
      else if (source.features[feature]?.kind === 'ratio')
        report(key, 'expected a shared feature that is no ratio');
      continue;
    }
    if (type !== undefined && type !== 'double' && type !== 'dyn')
      compiling.report([...path, key], `expected a feature that is a number but found ${quote(feature)}`);
  }
  const read = (values: FeatureVector, name: string): number | null => {
    const value = values[name];
    return typeof value === 'number' ? value : null;
  };
  return {
    inputs: [...new Set([numerator, denominator])],
    compute(values) {
      const above = read(values, numerator);
      const below = read(values, denominator);
      if (above === null || below === null) return null;
      if (below === 0) return whenZero;
      const value = above / below;
      return Number.isFinite(value) ? value : null;
    },
  };
}
