import type { FeatureSource } from '../schemas/index.ts';
import { contentHash } from './canonical.ts';
import { checkProperty } from './check-property.ts';
import { compileBuckets, type EventSource } from './compile-buckets.ts';
import { type Compiling, refersTo } from './compile-context.ts';
import { compileDerived, type DerivedSource } from './compile-derived.ts';
import { compileOf, compileWhere } from './compile-events.ts';
import { compileSequence } from './compile-sequence.ts';
import { isSharedFeature } from './compile-shared.ts';
import type { CompiledFeature } from './compiled.ts';
import { durationMs } from './duration.ts';
import { isReservedName } from './expression-environment.ts';
import { featureTypes } from './feature-types.ts';
import { type Path, quote } from './problems.ts';

const mostFeatures = 200;

export interface CompiledFeatures {
  readonly features: readonly CompiledFeature[];
  readonly shared: readonly CompiledFeature[];
}

/** All features, normalised, in the order of the file; of the shared ones, ratios last. */
export function compileFeatures(compiling: Compiling): CompiledFeatures {
  const entries = Object.entries(compiling.source.features);
  if (entries.length > mostFeatures) {
    compiling.report(['features'], `expected at most ${mostFeatures} features but found ${entries.length}`, {
      at: 'key',
    });
  }
  const derived = new Map<string, DerivedSource>();
  const stored = new Map<string, CompiledFeature>();
  for (const [name, source] of entries) {
    checkName(compiling, name, source);
    if (source.kind === 'ratio' || source.kind === 'derived') derived.set(name, source);
    else if (source.kind === 'sequence') stored.set(name, compileSequence(compiling, name, source));
    else stored.set(name, compileFeature(compiling, name, source));
  }
  const all = new Map([...stored, ...compileDerived(compiling, derived, stored, featureTypes(compiling))]);
  const isShared = ({ name }: CompiledFeature): boolean => isSharedFeature(compiling.source, name);
  const inOrder = entries.flatMap(([name]) => all.get(name) ?? []);
  const shared = inOrder.filter(isShared);
  return {
    features: inOrder.filter((feature) => !isShared(feature)),
    shared: [
      ...shared.filter(({ derived }) => derived === null),
      ...shared.filter(({ derived }) => derived !== null),
    ],
  };
}

function checkName(compiling: Compiling, name: string, source: FeatureSource): void {
  const path = ['features', name];
  if (isReservedName(name)) {
    compiling.report(path, `expected another name: ${quote(name)} means something in expressions`, {
      at: 'key',
    });
  }
  source.purposes?.forEach((purpose, index) => {
    refersTo(compiling, 'purposes', purpose, [...path, 'purposes', index]);
  });
}

function compileFeature(compiling: Compiling, name: string, source: EventSource): CompiledFeature {
  const path = ['features', name];
  const types = compileOf(compiling, source.of, [...path, 'of']);
  const where = compileWhere(compiling, source.where, types, [...path, 'where']);
  checkReads(compiling, source, types, path);
  const shape = {
    kind: source.kind,
    ...compileBuckets(compiling, source, path),
    property: 'property' in source ? (source.property ?? null) : null,
    propertyType:
      source.kind === 'last' ? source.type : source.kind === 'last_n' ? 'string' : propertyType(source),
    scale: 'scale' in source ? source.scale : 0,
    by: 'by' in source ? (source.by ?? null) : null,
    keys: 'by' in source && source.by !== undefined ? source.keys : 0,
    n: source.kind === 'last_n' ? source.n : 0,
    max: source.kind === 'distinct' ? source.max : 0,
    measure: source.kind === 'session' ? source.measure : null,
  } as const;
  // Apart from the shape, and absent where they say nothing, so that hashes of the kinds above stay as they are.
  const more = moreOf(compiling, source, path);
  const hash = contentHash('feature', {
    ...shape,
    ...more,
    types: types === null ? null : [...types].sort(),
    where: where?.text ?? null,
    // A session feature's state also depends on where sessions end.
    gap: source.kind === 'session' ? durationMs(compiling.source.session.gap) : null,
  });
  return { ...nothing, ...shape, ...more, name, hash, types: types === null ? null : new Set(types), where };
}

const nothing = { halfLifeMs: 0, precision: 0, windowMs: 0, withinMs: 0, steps: [], derived: null } as const;

function moreOf(compiling: Compiling, source: EventSource, path: Path): Partial<CompiledFeature> {
  switch (source.kind) {
    case 'decay':
      return { halfLifeMs: durationMs(source.half_life) };
    case 'approx_distinct':
      return { precision: source.precision };
    case 'top_k':
      if (source.keys < source.k)
        compiling.report([...path, 'keys'], `expected at least k, ${source.k}, but found ${source.keys}`);
      return { n: source.k, keys: source.keys };
    default:
      return {};
  }
}

/** The properties it reads must be there to be read, and be of use. */
function checkReads(
  compiling: Compiling,
  source: EventSource,
  types: readonly string[] | null,
  path: Path,
): void {
  if ('property' in source && source.property !== undefined) {
    const isNumber = source.kind === 'last' ? source.type === 'number' : propertyType(source) === 'number';
    const use = isNumber ? 'number' : 'text';
    checkProperty(compiling, types, source.property, use, [...path, 'property']);
  }
  if ('by' in source && source.by !== undefined)
    checkProperty(compiling, types, source.by, 'text', [...path, 'by']);
}

/** Whether a kind computes with its property (a number) or only tells its values apart (text). */
function propertyType(source: EventSource): 'string' | 'number' {
  return 'scale' in source ? 'number' : 'string';
}
