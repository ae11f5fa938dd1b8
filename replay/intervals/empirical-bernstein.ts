import type { Interval } from './bootstrap.ts';
import type { UnitSums } from './units.ts';

export interface BernsteinOptions {
  readonly level: number;
  /** How far apart two units' values of (numerator - value x denominator) can be, whatever the value. */
  readonly range: number;
  /** Where the value can be at all: least and largest reward of a decision. */
  readonly least: number;
  readonly most: number;
}

/**
 * Empirical-Bernstein interval: holds for any number of units, given a true `range`, so it is wide. Maurer, Pontil 2009,
 * "Empirical Bernstein Bounds and Sample Variance Penalization", theorem 4, on both sides: with probability 1 - d
 * |mean - expectation| <= sqrt(2 V ln(4/d) / n) + 7 range ln(4/d) / (3 (n - 1)).
 * For a ratio it holds all values v at which mean(above - v below) may be 0, since its expectation is 0 at the true one.
 * null: fewer than two units, or a sum of several ratios.
 */
export function empiricalBernstein({ ratios }: UnitSums, options: BernsteinOptions): Interval | null {
  const ratio = ratios[0];
  if (ratio === undefined || ratios.length > 1 || ratio.above.length < 2) return null;
  const { above, below } = ratio;
  const units = above.length;
  const meanAbove = meanOf(above);
  const meanBelow = meanOf(below);
  const value = meanAbove / meanBelow;
  if (!Number.isFinite(value)) return null;
  let varianceAbove = 0;
  let covariance = 0;
  let varianceBelow = 0;
  for (let unit = 0; unit < units; unit++) {
    const a = (above[unit] as number) - meanAbove;
    const b = (below[unit] as number) - meanBelow;
    varianceAbove += a * a;
    covariance += a * b;
    varianceBelow += b * b;
  }
  const logarithm = Math.log(4 / (1 - options.level));
  const fixed = (7 * options.range * logarithm) / (3 * (units - 1));
  const isPossible = (v: number): boolean => {
    const variance = Math.max(0, varianceAbove - 2 * v * covariance + v * v * varianceBelow) / (units - 1);
    return Math.abs(meanAbove - v * meanBelow) <= Math.sqrt((2 * variance * logarithm) / units) + fixed;
  };
  return {
    low: lastPossible(isPossible, value, options.least),
    high: lastPossible(isPossible, value, options.most),
  };
}

/** From a possible value towards the end of what there can be, as far as values stay possible. */
function lastPossible(isPossible: (value: number) => boolean, from: number, end: number): number {
  if (isPossible(end)) return end;
  let inside = from;
  let outside = end;
  for (let step = 0; step < 60; step++) {
    const middle = (inside + outside) / 2;
    if (isPossible(middle)) inside = middle;
    else outside = middle;
  }
  return inside;
}

const meanOf = (values: Float64Array): number => values.reduce((sum, one) => sum + one, 0) / values.length;
