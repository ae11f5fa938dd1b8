import { randomFrom } from './random.ts';

/** The part of labelled rows that rankings are measured on. */
export interface Lists {
  readonly labels: Uint8Array;
  /** Which list a row is of; rows of one list stand together. */
  readonly lists: Int32Array;
}

/**
 * For each list 1 / (place of the chosen row) when rows stand by falling score, rows of equal score in their order;
 * 0 where none was chosen. Their mean is the mean reciprocal rank (MRR; Voorhees 1999).
 */
export function reciprocalRanks({ labels, lists }: Lists, scores: ArrayLike<number>): Float64Array {
  const ranks: number[] = [];
  for (let from = 0; from < labels.length; ) {
    let to = from;
    let chosen = -1;
    for (; to < labels.length && lists[to] === lists[from]; to++) if (labels[to] === 1) chosen = to;
    let rank = 1;
    if (chosen >= 0)
      for (let row = from; row < to; row++) {
        const score = scores[row] ?? 0;
        const best = scores[chosen] ?? 0;
        if (score > best || (score === best && row < chosen)) rank++;
      }
    ranks.push(chosen < 0 ? 0 : 1 / rank);
    from = to;
  }
  return Float64Array.from(ranks);
}

export const meanOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index] ?? 0;
  return values.length === 0 ? Number.NaN : sum / values.length;
};

/**
 * Percentile interval of the mean of `differences` when whole clusters are drawn with replacement (Cameron, Gelbach
 * and Miller 2008): what belongs together, such as the lists of one session, is drawn together.
 */
export function clusterBootstrap(
  differences: ArrayLike<number>,
  clusters: readonly string[],
  { draws = 2_000, level = 0.95, seed = 1 } = {},
): { readonly mean: number; readonly low: number; readonly high: number } {
  const sums = new Map<string, { sum: number; count: number }>();
  clusters.forEach((cluster, index) => {
    const known = sums.get(cluster) ?? { sum: 0, count: 0 };
    known.sum += differences[index] ?? 0;
    known.count++;
    sums.set(cluster, known);
  });
  const all = [...sums.values()];
  const random = randomFrom(seed);
  const means = Float64Array.from({ length: draws }, () => {
    let sum = 0;
    let count = 0;
    for (let drawn = 0; drawn < all.length; drawn++) {
      const one = all[random.below(all.length)];
      sum += one?.sum ?? 0;
      count += one?.count ?? 0;
    }
    return sum / count;
  }).sort();
  const at = (share: number): number => means[Math.min(draws - 1, Math.floor(share * draws))] ?? Number.NaN;
  return { mean: meanOf(differences), low: at((1 - level) / 2), high: at((1 + level) / 2) };
}
