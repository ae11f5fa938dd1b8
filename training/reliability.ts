/** How good probabilities are on labelled rows. */
export interface Reliability {
  readonly rows: number;
  /** Mean squared difference from the label (Brier 1950). */
  readonly brier: number;
  /** Mean negative log likelihood, nats. */
  readonly logLoss: number;
  /** Mean distance between mean probability and rate of the bins, weighted by rows (ECE; Naeini et al. 2015). */
  readonly expectedCalibrationError: number;
  /** Area under the ROC curve, ties counted half; null where one class is missing. */
  readonly auc: number | null;
  /** By rising probability, about equally many rows each. */
  readonly bins: readonly ReliabilityBin[];
}

export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  /** Mean probability and share of positives. */
  readonly mean: number;
  readonly rate: number;
}

/** `bins` as many at most; rows of the same probability are never parted. */
export function reliabilityOf(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  bins = 10,
): Reliability {
  const count = labels.length;
  const p = (row: number): number => probabilities[row] ?? 0;
  const order = Array.from({ length: count }, (_, row) => row).sort((a, b) => p(a) - p(b));
  let brier = 0;
  let logLoss = 0;
  for (let row = 0; row < count; row++) {
    const label = labels[row] ?? 0;
    brier += (p(row) - label) ** 2;
    const kept = Math.min(1 - 1e-12, Math.max(1e-12, p(row)));
    logLoss -= label === 1 ? Math.log(kept) : Math.log(1 - kept);
  }
  const table: ReliabilityBin[] = [];
  for (let from = 0; from < count; ) {
    let to = Math.min(count, Math.max(from + 1, Math.round(((table.length + 1) * count) / bins)));
    while (to < count && p(order[to] ?? 0) === p(order[to - 1] ?? 0)) to++;
    const some = order.slice(from, to);
    table.push({
      from: p(some[0] ?? 0),
      to: p(some.at(-1) ?? 0),
      rows: some.length,
      mean: some.reduce((sum, row) => sum + p(row), 0) / some.length,
      rate: some.reduce((sum, row) => sum + (labels[row] ?? 0), 0) / some.length,
    });
    from = to;
  }
  return {
    rows: count,
    brier: brier / count,
    logLoss: logLoss / count,
    expectedCalibrationError: table.reduce(
      (sum, { rows, mean, rate }) => sum + (rows / count) * Math.abs(mean - rate),
      0,
    ),
    auc: areaUnderCurve(order, p, labels),
    bins: table,
  };
}

/** By ranks (Mann-Whitney). `order`: rows by rising probability. */
function areaUnderCurve(
  order: readonly number[],
  p: (row: number) => number,
  labels: ArrayLike<number>,
): number | null {
  let ranks = 0;
  let positives = 0;
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (last + 1 < order.length && p(order[last + 1] ?? 0) === p(order[first] ?? 0)) last++;
    for (let at = first; at <= last; at++)
      if (labels[order[at] ?? 0] === 1) {
        ranks += (first + last) / 2 + 1;
        positives++;
      }
    first = last + 1;
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) return null;
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}
