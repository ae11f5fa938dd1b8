import type { FeatureSource } from '../schemas/index.ts';
import type { Compiling } from './compile-context.ts';
import { compileRing } from './compile-ring.ts';
import { durationMs } from './duration.ts';
import { type Path, quote } from './problems.ts';

/** A feature that reads events one by one. */
export type EventSource = Exclude<FeatureSource, { kind: 'ratio' | 'derived' | 'sequence' }>;

/** Each bucket holds a sketch or a table, not a number, so there are fewer unless stated. */
const usualSketches = 24;
/** A decay's buckets are a quarter of a half-life; after 24 half-lives an event weighs less than 1e-7 and is left out. */
const bucketsPerHalfLife = 4;
const halfLivesKept = 24;
/** 48 KiB at the very worst, so that they have room in a subject's 64 KiB. */
const mostRegisters = 65_536;
/** Likewise, at three bytes each. */
const mostCounts = 16_384;
/** Two dozen of them must lie within what event times can be. */
const longestHalfLife = '365d';

/** The buckets that a feature's state is kept in; 0 and 0: its kind has none. Reports those that have no room in a blob. */
export function compileBuckets(
  compiling: Compiling,
  source: EventSource,
  path: Path,
): { readonly bucketMs: number; readonly buckets: number } {
  if (source.kind === 'decay') {
    const halfLifeMs = durationMs(source.half_life);
    if (halfLifeMs % 1_000 !== 0 || halfLifeMs > durationMs(longestHalfLife))
      compiling.report(
        [...path, 'half_life'],
        `expected a half-life in whole seconds, at most ${longestHalfLife}, but found ${quote(source.half_life)}`,
      );
    return { bucketMs: halfLifeMs / bucketsPerHalfLife, buckets: bucketsPerHalfLife * halfLivesKept };
  }
  if (!('window' in source)) return { bucketMs: 0, buckets: 0 };
  const isSketch = source.kind === 'approx_distinct' || source.kind === 'top_k';
  const ring = compileRing(compiling, source, path, isSketch ? usualSketches : undefined);
  if (source.kind === 'approx_distinct' && ring.buckets * 2 ** source.precision > mostRegisters) {
    compiling.report(
      [...path, 'precision'],
      `expected at most ${mostRegisters} registers in all (buckets x 2^precision) but found ${ring.buckets} x 2^${source.precision}: choose longer buckets or a lower precision`,
    );
  }
  if (source.kind === 'top_k' && ring.buckets * source.keys > mostCounts) {
    compiling.report(
      [...path, 'keys'],
      `expected at most ${mostCounts} counts in all (buckets x keys) but found ${ring.buckets} x ${source.keys}: choose longer buckets or fewer keys`,
    );
  }
  return ring;
}
