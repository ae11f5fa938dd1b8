import type { FeatureSource } from '../schemas/index.ts';
import { contentHash } from './canonical.ts';
import { type Compiling, expressionAt, refersTo } from './compile-context.ts';
import type { CompiledFeature, Expression } from './compiled.ts';
import { durationMs, formatDuration } from './duration.ts';
import { checkEventType, eventNames } from './event-names.ts';
import { isReservedName } from './expression-environment.ts';
import type { CelType } from './expression-names.ts';
import { type Path, quote } from './problems.ts';

const mostFeatures = 200;
const mostBuckets = 1_440;
const shortestBucketMs = 1_000;
const usualBuckets = 60;

/** All features, normalised, in the order of the file. */
export function compileFeatures(compiling: Compiling): readonly CompiledFeature[] {
  const entries = Object.entries(compiling.source.features);
  if (entries.length > mostFeatures) {
    compiling.report(['features'], `expected at most ${mostFeatures} features but found ${entries.length}`, {
      at: 'key',
    });
  }
  return entries.map(([name, source]) => compileFeature(compiling, name, source));
}

/** What each feature is in an expression; those whose own definition is wrong count as anything. */
export function featureTypes({ source, names }: Compiling): ReadonlyMap<string, CelType> {
  const types = new Map<string, CelType>();
  for (const name of names.features) {
    const feature = Object.hasOwn(source.features, name) ? source.features[name] : undefined;
    types.set(name, feature === undefined ? 'dyn' : featureType(feature));
  }
  return types;
}

function featureType(feature: FeatureSource): CelType {
  switch (feature.kind) {
    case 'last':
      return feature.type === 'string' ? 'string' : 'double';
    case 'last_n':
      return 'list<string>';
    case 'distinct':
    case 'time_since':
    case 'session':
      return 'double';
    default:
      return feature.by === undefined ? 'double' : 'map<string, double>';
  }
}

function compileFeature(compiling: Compiling, name: string, source: FeatureSource): CompiledFeature {
  const path = ['features', name];
  if (isReservedName(name)) {
    compiling.report(path, `expected another name: ${quote(name)} means something in expressions`, {
      at: 'key',
    });
  }
  const types = compileOf(compiling, source.of, [...path, 'of']);
  source.purposes?.forEach((purpose, index) => {
    refersTo(compiling, 'purposes', purpose, [...path, 'purposes', index]);
  });
  const where = compileWhere(compiling, source.where, types, [...path, 'where']);
  const ring = 'window' in source ? compileRing(compiling, source, path) : { bucketMs: 0, buckets: 0 };
  const shape = {
    kind: source.kind,
    ...ring,
    property: 'property' in source ? source.property : null,
    propertyType:
      source.kind === 'last' ? source.type : source.kind === 'last_n' ? 'string' : propertyType(source),
    scale: 'scale' in source ? source.scale : 0,
    by: 'by' in source ? (source.by ?? null) : null,
    keys: 'by' in source && source.by !== undefined ? source.keys : 0,
    n: source.kind === 'last_n' ? source.n : 0,
    max: source.kind === 'distinct' ? source.max : 0,
    measure: source.kind === 'session' ? source.measure : null,
  } as const;
  const hash = contentHash('feature', {
    ...shape,
    types: types === null ? null : [...types].sort(),
    where: where?.text ?? null,
    // A session feature's state also depends on where sessions end.
    gap: source.kind === 'session' ? durationMs(compiling.source.session.gap) : null,
  });
  return { name, hash, types: types === null ? null : new Set(types), where, ...shape };
}

/** Whether a kind computes with its property (a number) or only tells its values apart (text). */
function propertyType(source: FeatureSource): 'string' | 'number' {
  return 'scale' in source ? 'number' : 'string';
}

function compileOf(compiling: Compiling, of: FeatureSource['of'], path: Path): readonly string[] | null {
  if (of === '*') return null;
  const types = typeof of === 'string' ? [of] : of;
  types.forEach((type, index) => {
    const place = typeof of === 'string' ? path : [...path, index];
    if (type === '*') compiling.report(place, 'expected event types, or "*" alone for all of them');
    else checkEventType(compiling, type, place);
  });
  return types;
}

function compileWhere(
  compiling: Compiling,
  text: string | undefined,
  types: readonly string[] | null,
  path: Path,
): Expression<boolean> | null {
  if (text === undefined) return null;
  const event = eventNames(compiling, types);
  return expressionAt(compiling, path, text, 'bool', { features: null, event, action: null, context: false });
}

/** The ring of buckets that a window is kept in. */
function compileRing(
  compiling: Compiling,
  source: { readonly window: string; readonly bucket?: string | undefined },
  path: Path,
): { readonly bucketMs: number; readonly buckets: number } {
  const windowMs = durationMs(source.window);
  if (windowMs < shortestBucketMs) {
    compiling.report(
      [...path, 'window'],
      `expected a window of at least 1s but found ${quote(source.window)}`,
    );
    return { bucketMs: 0, buckets: 0 };
  }
  if (source.bucket === undefined) {
    const buckets = usualBucketsOf(windowMs);
    return { bucketMs: windowMs / buckets, buckets };
  }
  const bucketMs = durationMs(source.bucket);
  const place = [...path, 'bucket'];
  const buckets = windowMs / bucketMs;
  if (bucketMs < shortestBucketMs) {
    compiling.report(place, `expected a bucket of at least 1s but found ${quote(source.bucket)}`);
  } else if (!Number.isInteger(buckets)) {
    const usual = formatDuration(windowMs / usualBucketsOf(windowMs));
    compiling.report(
      place,
      `expected a bucket that divides the window of ${source.window} evenly, such as ${usual}, but found ${quote(source.bucket)}`,
    );
  } else if (buckets > mostBuckets) {
    const least = formatDuration(Math.ceil(windowMs / mostBuckets / 1_000) * 1_000);
    compiling.report(
      place,
      `expected at most ${mostBuckets} buckets in a window (a bucket of ${least} or more) but found ${buckets}`,
    );
  } else return { bucketMs, buckets };
  return { bucketMs: 0, buckets: 0 };
}

/** 60, or the most below it that divide the window into whole milliseconds, of at least a second each. */
function usualBucketsOf(windowMs: number): number {
  let buckets = Math.min(usualBuckets, Math.floor(windowMs / shortestBucketMs));
  while (windowMs % buckets !== 0) buckets--;
  return buckets;
}
