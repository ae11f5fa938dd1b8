import type { FeatureSource } from '../schemas/index.ts';
import { contentHash } from './canonical.ts';
import { checkProperty } from './check-property.ts';
import type { Compiling } from './compile-context.ts';
import { compileOf, compileWhere } from './compile-events.ts';
import type { CompiledFeature } from './compiled.ts';
import { durationMs } from './duration.ts';
import { quote } from './problems.ts';

type SequenceSource = Extract<FeatureSource, { kind: 'sequence' }>;

/** A feature over several kinds of events in their order. */
export function compileSequence(compiling: Compiling, name: string, source: SequenceSource): CompiledFeature {
  const path = ['features', name];
  const steps = source.steps.map(({ of, where }, index) => {
    const place = [...path, 'steps', index];
    const types = compileOf(compiling, of, [...place, 'of']);
    return { types, where: compileWhere(compiling, where, types, [...place, 'where']) };
  });
  const windowMs = durationMs(source.window);
  const withinMs = durationMs(source.within);
  if (withinMs > windowMs) {
    compiling.report(
      [...path, 'within'],
      `expected at most the window, ${source.window}, but found ${quote(source.within)}`,
    );
  }
  const shape = {
    kind: 'sequence',
    by: source.same ?? null,
    keys: source.events,
    measure: source.measure,
    windowMs,
    withinMs,
  } as const;
  const named = steps.flatMap(({ types }) => types ?? []);
  if (source.same !== undefined) checkProperty(compiling, named, source.same, 'text', [...path, 'same']);
  return {
    ...shape,
    name,
    hash: contentHash('feature', {
      ...shape,
      steps: steps.map(({ types, where }) => [
        types === null ? null : [...types].sort(),
        where?.text ?? null,
      ]),
    }),
    types: steps.some(({ types }) => types === null) ? null : new Set(named),
    where: null,
    bucketMs: 0,
    buckets: 0,
    property: null,
    propertyType: 'string',
    scale: 0,
    n: 0,
    max: 0,
    halfLifeMs: 0,
    precision: 0,
    steps: steps.map(({ types, where }) => ({ types: types === null ? null : new Set(types), where })),
    derived: null,
  };
}
