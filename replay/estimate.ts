import { estimated, type Sample, type Terms } from './estimators/sample.ts';
import type { Bootstrapped } from './intervals/bootstrap.ts';
import { empiricalBernstein } from './intervals/empirical-bernstein.ts';
import { sumsOf, type Units } from './intervals/units.ts';
import type { Estimate } from './report.ts';

export interface EstimateOptions {
  /** How far apart two rows' terms can be. */
  readonly width: number;
  readonly level: number;
  readonly bootstrapped: Bootstrapped | null;
  /** Where the value of a decision can be at all. */
  readonly least: number;
  readonly most: number;
}

/** One estimate with all that is said of it. */
export function estimateOf(terms: Terms, sample: Sample, units: Units, options: EstimateOptions): Estimate {
  const { width, level, bootstrapped, least, most } = options;
  const value = estimated(terms, sample);
  const bernstein = empiricalBernstein(sumsOf(terms, sample, units), {
    level,
    range: width * units.mostRows,
    least: Math.min(least, value),
    most: Math.max(most, value),
  });
  return {
    value,
    standardError: bootstrapped?.standardError ?? null,
    bootstrap: bootstrapped && [bootstrapped.low, bootstrapped.high],
    empiricalBernstein: bernstein && [bernstein.low, bernstein.high],
    largestRow: largestShare(terms.numerator),
  };
}

/** How much of the sum of all rows' terms the largest is; above 1 where others take most of it back. */
export function largestShare(terms: Float64Array): number {
  let sum = 0;
  let largest = 0;
  for (const one of terms) {
    sum += one;
    largest = Math.max(largest, Math.abs(one));
  }
  if (largest === 0) return 0;
  return sum === 0 ? Number.POSITIVE_INFINITY : largest / Math.abs(sum);
}
