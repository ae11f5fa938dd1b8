import type { Calibration } from '../schemas/index.ts';

/** As scorers/calibrate.ts: beyond it the log odds of a probability are no number to work with. */
const least = 1e-7;
/** What a manifest may hold. */
const mostPoints = 1_000;

const logOdds = (probability: number): number => {
  const p = Math.min(Math.max(probability, least), 1 - least);
  return Math.log(p / (1 - p));
};

/**
 * Isotonic regression by pooling adjacent violators (PAV; Ayer et al. 1955, Zadrozny and Elkan 2002): the
 * non-decreasing values nearest to the labels by squares, in the order of rising scores. Rows of one score get one
 * value. Returns the pools by rising score: their mean score, their value and how many rows they have.
 */
export function pools(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
): { readonly score: number; readonly value: number; readonly rows: number }[] {
  const order = Array.from({ length: scores.length }, (_, row) => row).sort(
    (a, b) => (scores[a] ?? 0) - (scores[b] ?? 0),
  );
  const stack: { sum: number; scores: number; rows: number }[] = [];
  for (let from = 0, to = 0; from < order.length; from = to) {
    const score = scores[order[from] ?? 0] ?? 0;
    let sum = 0;
    for (; to < order.length && scores[order[to] ?? 0] === score; to++) sum += labels[order[to] ?? 0] ?? 0;
    const pool = { sum, scores: score * (to - from), rows: to - from };
    for (;;) {
      const before = stack.at(-1);
      if (before === undefined || before.sum * pool.rows < pool.sum * before.rows) break;
      stack.pop();
      pool.sum += before.sum;
      pool.scores += before.scores;
      pool.rows += before.rows;
    }
    stack.push(pool);
  }
  return stack.map(({ sum, scores: total, rows }) => ({ score: total / rows, value: sum / rows, rows }));
}

/**
 * Isotonic calibration: straight lines through the pools, so that what is apart before stays apart between the first
 * pool and the last. Pools closer than a thousandth of a probability are joined, or lines would be too steep. No value
 * is nearer to 0 or 1 than Platt's targets: that a pool has seen none yet does not make it impossible.
 */
export function isotonic(probabilities: ArrayLike<number>, labels: ArrayLike<number>): Calibration {
  const points: { x: number; y: number; rows: number }[] = [];
  for (const { score, value, rows } of pools(probabilities, labels)) {
    const last = points.at(-1);
    if (last !== undefined && score - last.x < 1 / mostPoints) {
      const all = last.rows + rows;
      last.x = (last.x * last.rows + score * rows) / all;
      last.y = (last.y * last.rows + value * rows) / all;
      last.rows = all;
    } else points.push({ x: score, y: value, rows });
  }
  const kept = points.slice(0, mostPoints);
  const { low, high } = targetsOf(labels);
  return {
    kind: 'isotonic',
    x: kept.map(({ x }) => unit(x)),
    y: kept.map(({ y }) => Math.min(high, Math.max(low, y))),
  };
}

/**
 * Platt's sigmoid on the log odds, fitted by Newton's method on the log loss, with Platt's own targets in place of 0
 * and 1 (Platt 1999; Lin, Lin and Weng 2007), so that few labels can't make it infinitely sure.
 */
export function platt(probabilities: ArrayLike<number>, labels: ArrayLike<number>): Calibration {
  const x = Array.from({ length: probabilities.length }, (_, row) => logOdds(probabilities[row] ?? 0));
  const { low, high } = targetsOf(labels);
  const target = (row: number): number => (labels[row] === 1 ? high : low);
  const lossOf = (a: number, b: number): number =>
    x.reduce((sum, value, row) => {
      const z = a * value + b;
      return sum + Math.log1p(Math.exp(-Math.abs(z))) + Math.max(z, 0) - target(row) * z;
    }, 0);
  let [a, b] = [1, 0];
  let loss = lossOf(a, b);
  for (let round = 0; round < 100; round++) {
    let [ga, gb, haa, hab, hbb] = [0, 0, 1e-12, 0, 1e-12];
    x.forEach((value, row) => {
      const p = 1 / (1 + Math.exp(-(a * value + b)));
      const error = p - target(row);
      const curve = p * (1 - p);
      ga += error * value;
      gb += error;
      haa += curve * value * value;
      hab += curve * value;
      hbb += curve;
    });
    const determinant = haa * hbb - hab * hab;
    if (!(determinant > 1e-12)) break;
    const [da, db] = [(hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant];
    let size = 1;
    let next = lossOf(a - da, b - db);
    while (next > loss && size > 1e-10) {
      size /= 2;
      next = lossOf(a - size * da, b - size * db);
    }
    if (next > loss) break;
    a -= size * da;
    b -= size * db;
    const gained = loss - next;
    loss = next;
    if (gained < 1e-12 * (1 + loss)) break;
  }
  // A model that ranks no better than chance must not be turned round by a few labels.
  return { kind: 'platt', a: Math.max(0, a), b };
}

/** What Platt puts in place of 0 and 1. */
function targetsOf(labels: ArrayLike<number>): { readonly low: number; readonly high: number } {
  let positives = 0;
  for (let row = 0; row < labels.length; row++) positives += labels[row] ?? 0;
  return { low: 1 / (labels.length - positives + 2), high: (positives + 1) / (positives + 2) };
}

const unit = (value: number): number => Math.min(1, Math.max(0, value));
