import { logGamma } from './beta.ts';
import { type Item, nothing, type SlotChoice } from './items.ts';

/** A function by its values and slopes at the points of a grid. */
interface Curve {
  readonly values: Float64Array;
  readonly slopes: Float64Array;
}

/**
 * The probability that priorities drawn independently, each from its posterior, put what these slots chose before all
 * that was available beside it:  integral over x1 > x2 > ... of f_1(x1) f_2(x2) ... times F_b of all others. By
 * quadrature on a grid that is fine wherever one of the densities is; within 1e-4 (thompson.test.ts).
 */
export function orderProbability(items: readonly Item[], slots: readonly SlotChoice[]): number {
  const chosen = slots.flatMap((slot) => (slot.chosen === null ? [] : [{ ...slot, chosen: slot.chosen }]));
  const last = chosen.at(-1);
  if (last === undefined) return 1;
  const isIn = (place: number): boolean => items[place]?.action !== nothing;
  const involved = [...new Set(chosen.flatMap(({ available }) => available))];
  // What nothing is worth is known: whatever is shown before it has to be above.
  const bar = involved.map((place) => items[place]).find((item) => item?.action === nothing)?.priority ?? 0;
  const densities = new Map<number, Curve>();
  const points = gridOf(
    involved.filter(isIn).map((place) => items[place]),
    bar,
  );
  for (const place of involved.filter(isIn)) densities.set(place, density(items[place], points));
  const from = points.findIndex((point) => point >= bar);
  const below = new Map([...densities].map(([place, curve]) => [place, integral(curve, points, 0)]));

  let left = last.available.filter((place) => place !== last.chosen && isIn(place));
  /** P(all that comes after is in order and below x), as a function of x, from the last slot to the first. */
  let rest: Curve;
  if (isIn(last.chosen)) rest = step(last.chosen, left, null);
  else {
    let all = 1;
    for (const place of left) all *= below.get(place)?.values[from] ?? 1;
    rest = constant(all, points.length);
  }
  for (let index = chosen.length - 2; index >= 0; index--) {
    const slot = chosen[index];
    const after = chosen[index + 1];
    if (slot === undefined || after === undefined) continue;
    // What this one was ahead of and what the next slot had no room for.
    left = slot.available.filter(
      (place) => place !== slot.chosen && isIn(place) && !after.available.includes(place),
    );
    rest = step(slot.chosen, left, rest);
  }
  return Math.min(1, rest.values[points.length - 1] ?? 0);

  function step(place: number, others: readonly number[], after: Curve | null): Curve {
    const factors = others.flatMap((other) => below.get(other) ?? []);
    if (after !== null) factors.push(after);
    const own = densities.get(place) ?? constant(0, points.length);
    return integral(product([own, ...factors]), points, from);
  }
}

/** Standard deviations from its mean at which a posterior has a point of the grid. */
const far = [9, 10, 11, 12, 13, 14, 16, 18, 20, 23, 26, 30, 35, 40];
const offsets = [
  ...Array.from({ length: 81 }, (_, index) => (index - 40) / 5),
  ...far,
  ...far.map((offset) => -offset),
];

function gridOf(items: readonly (Item | undefined)[], bar: number): number[] {
  const points = new Set<number>([0, bar]);
  for (const item of items) {
    if (item?.posterior === undefined) continue;
    const { alpha, beta } = item.posterior;
    const scale = item.scale ?? 1;
    const mean = alpha / (alpha + beta);
    const deviation = Math.sqrt((mean * (1 - mean)) / (alpha + beta + 1));
    let low = 1;
    let high = 0;
    for (const offset of offsets) {
      const x = mean + offset * deviation;
      if (x <= 0 || x >= 1) continue;
      points.add(x * scale);
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
    // At an end where the density rises like a root or a low power: ever smaller steps, as far as matters.
    for (let step = 1; step <= 40; step++) {
      const share = 2 ** (-step / 2);
      if (alpha < 4) points.add(low * share * scale);
      if (beta < 4) points.add((1 - (1 - high) * share) * scale);
    }
    // A density may jump at its end: the next point is right behind.
    points.add(scale).add(scale * (1 + 1e-9));
  }
  return [...points].sort((a, b) => a - b);
}

/** The density of a priority = scale x Beta(alpha, beta). */
function density(item: Item | undefined, points: readonly number[]): Curve {
  const curve = constant(0, points.length);
  if (item?.posterior === undefined) return curve;
  const { alpha, beta } = item.posterior;
  const scale = item.scale ?? 1;
  const norm = logGamma(alpha + beta) - logGamma(alpha) - logGamma(beta) - Math.log(scale);
  for (const [index, point] of points.entries()) {
    const x = point / scale;
    if (x > 1) continue;
    const value = Math.exp(norm + power(alpha - 1, x) + power(beta - 1, 1 - x));
    curve.values[index] = value;
    curve.slopes[index] = (value * (slopeOf(alpha - 1, x) - slopeOf(beta - 1, 1 - x))) / scale;
  }
  return curve;
}

/** ln x^k, k >= 0. */
const power = (k: number, x: number): number => (k === 0 ? 0 : k * Math.log(x));
/** At the ends the density is 0 there or its slope is not needed to be exact. */
const slopeOf = (k: number, x: number): number => (k === 0 || x <= 0 ? 0 : k / x);

const constant = (value: number, length: number): Curve => ({
  values: new Float64Array(length).fill(value),
  slopes: new Float64Array(length),
});

function product(curves: readonly Curve[]): Curve {
  const [first, ...others] = curves;
  const values = Float64Array.from(first?.values ?? []);
  const slopes = Float64Array.from(first?.slopes ?? []);
  for (const other of others) {
    for (let index = 0; index < values.length; index++) {
      const value = other.values[index] ?? 0;
      slopes[index] = (slopes[index] ?? 0) * value + (values[index] ?? 0) * (other.slopes[index] ?? 0);
      values[index] = (values[index] ?? 0) * value;
    }
  }
  return { values, slopes };
}

/** The integral from point `from` on: the trapezoidal rule with Euler and Maclaurin's first correction. */
function integral({ values, slopes }: Curve, points: readonly number[], from: number): Curve {
  const sums = new Float64Array(values.length);
  for (let index = from + 1; index < values.length; index++) {
    const width = (points[index] ?? 0) - (points[index - 1] ?? 0);
    const corners = (values[index - 1] ?? 0) + (values[index] ?? 0);
    const bend = (slopes[index - 1] ?? 0) - (slopes[index] ?? 0);
    sums[index] = (sums[index - 1] ?? 0) + (width / 2) * corners + ((width * width) / 12) * bend;
  }
  const cut = Float64Array.from(values, (value, index) => (index < from ? 0 : value));
  return { values: sums, slopes: cut };
}
