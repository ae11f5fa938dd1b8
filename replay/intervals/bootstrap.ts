import { seededRandom } from '../random.ts';
import { normalCdf, normalQuantile } from './normal.ts';
import type { UnitSums } from './units.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  readonly resamples: number;
  readonly seed: number;
  /** 0.95 for a 95% interval. */
  readonly level: number;
}

export interface Bootstrapped extends Interval {
  readonly standardError: number;
}

/**
 * Bootstrap intervals of several estimates over the same resamples of units (Efron 1987, "Better Bootstrap Confidence
 * Intervals": bias-corrected and accelerated). Weighted rewards are skewed, and the plain percentile interval then
 * covers too seldom; the acceleration is that of the estimate's influence function (DiCiccio, Efron 1996).
 * null: an estimate is not defined in most resamples.
 */
export function bootstrap(
  estimates: readonly UnitSums[],
  { resamples, seed, level }: BootstrapOptions,
): readonly (Bootstrapped | null)[] {
  const columns = [
    ...new Set(estimates.flatMap(({ ratios }) => ratios.flatMap((one) => [one.above, one.below]))),
  ];
  const units = columns[0]?.length ?? 0;
  const placeOf = new Map(columns.map((column, place) => [column, place]));
  const ratios = estimates.map((estimate) =>
    estimate.ratios.map(({ above, below }) => [placeOf.get(above) ?? 0, placeOf.get(below) ?? 0] as const),
  );
  // One unit's numbers beside each other: a draw touches one cache line or two.
  const width = columns.length;
  const data = new Float64Array(units * width);
  for (let unit = 0; unit < units; unit++)
    for (let place = 0; place < width; place++) data[unit * width + place] = columns[place]?.[unit] as number;
  const replicates = estimates.map(() => new Float64Array(resamples));
  const random = seededRandom(seed);
  const sums = new Float64Array(width);
  for (let resample = 0; resample < resamples; resample++) {
    sums.fill(0);
    for (let draw = 0; draw < units; draw++) {
      const from = Math.floor(random() * units) * width;
      for (let place = 0; place < width; place++)
        sums[place] = (sums[place] as number) + (data[from + place] as number);
    }
    ratios.forEach((pairs, estimate) => {
      let value = 0;
      for (const [above, below] of pairs) value += (sums[above] as number) / (sums[below] as number);
      (replicates[estimate] as Float64Array)[resample] = value;
    });
  }
  return estimates.map((estimate, index) => intervalOf(estimate, replicates[index] as Float64Array, level));
}

function intervalOf(estimate: UnitSums, all: Float64Array, level: number): Bootstrapped | null {
  const replicates = all.filter(Number.isFinite).sort();
  const { value, acceleration } = accelerationOf(estimate);
  if (replicates.length < all.length / 2 || !Number.isFinite(value)) return null;
  const mean = replicates.reduce((sum, one) => sum + one, 0) / replicates.length;
  const squares = replicates.reduce((sum, one) => sum + (one - mean) ** 2, 0);
  const standardError = Math.sqrt(squares / Math.max(1, replicates.length - 1));
  if (!(standardError > 1e-15 * Math.abs(value))) return { low: value, high: value, standardError: 0 };
  let below = 0;
  for (const one of replicates) below += one < value ? 1 : one === value ? 0.5 : 0;
  const least = 0.5 / replicates.length;
  const bias = normalQuantile(Math.min(1 - least, Math.max(least, below / replicates.length)));
  const at = (probability: number): number => {
    const z = bias + normalQuantile(probability);
    return quantile(replicates, normalCdf(bias + z / (1 - acceleration * z)));
  };
  return { low: at((1 - level) / 2), high: at((1 + level) / 2), standardError };
}

/** The estimate, and a = sum(u^3) / (6 sum(u^2)^1.5) of its influence values u. */
function accelerationOf({ ratios }: UnitSums): { value: number; acceleration: number } {
  const units = ratios[0]?.above.length ?? 0;
  const influence = new Float64Array(units);
  let value = 0;
  for (const { above, below } of ratios) {
    const total = below.reduce((sum, one) => sum + one, 0);
    const ratio = above.reduce((sum, one) => sum + one, 0) / total;
    value += ratio;
    for (let unit = 0; unit < units; unit++)
      influence[unit] =
        (influence[unit] as number) + ((above[unit] as number) - ratio * (below[unit] as number)) / total;
  }
  let squares = 0;
  let cubes = 0;
  for (const one of influence) {
    squares += one * one;
    cubes += one * one * one;
  }
  return { value, acceleration: squares === 0 ? 0 : cubes / (6 * squares ** 1.5) };
}

/** Of sorted values, between neighbours in proportion. */
function quantile(sorted: Float64Array, probability: number): number {
  const place = Math.min(1, Math.max(0, probability)) * (sorted.length - 1);
  const low = Math.floor(place);
  const from = sorted[low] as number;
  const to = sorted[Math.min(low + 1, sorted.length - 1)] as number;
  return from + (place - low) * (to - from);
}
