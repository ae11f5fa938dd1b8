/** What estimators see of a log and a policy: numbers a row. */
export interface Sample {
  readonly rows: number;
  /** Rows, or slates where rows stand in slates: an estimate is a value a decision. */
  readonly decisions: number;
  readonly reward: Float64Array;
  /** Weight of the row's reward. */
  readonly weight: Float64Array;
  /** Weight of the row's draw: of it and of what was drawn before it. Another one than `weight` for whole slates. */
  readonly drawn: Float64Array;
  /** Weight of what was drawn before it alone; 1 where that doesn't matter. */
  readonly before: Float64Array;
  /** In slates the position of each row, by which weights are normalised; null: all rows alike. */
  readonly group: Int32Array | null;
  readonly groups: number;
}

/**
 * An estimate as a ratio of sums over rows: sum(numerator) / sum(denominator). Without a denominator it is a mean over
 * decisions. With groups it is the sum of such ratios, one a group; a decision without a row of a group counts 1 in its
 * denominator, as it does in a mean.
 */
export interface Terms {
  readonly numerator: Float64Array;
  readonly denominator: Float64Array | null;
}

export const meanOf = (numerator: Float64Array): Terms => ({ numerator, denominator: null });

/** The rows of a group that a self-normalised estimate takes together; 0 where all rows are alike. */
export const groupOf = ({ denominator }: Terms, { group }: Sample, row: number): number =>
  denominator === null || group === null ? 0 : (group[row] as number);

export const groupsOf = ({ denominator }: Terms, { groups }: Sample): number =>
  denominator === null ? 1 : groups;

export function estimated(terms: Terms, sample: Sample): number {
  const groups = groupsOf(terms, sample);
  const above = new Float64Array(groups);
  const below = new Float64Array(groups);
  const missing = new Float64Array(groups).fill(sample.decisions);
  for (let row = 0; row < sample.rows; row++) {
    const group = groupOf(terms, sample, row);
    above[group] = (above[group] as number) + (terms.numerator[row] as number);
    below[group] =
      (below[group] as number) + (terms.denominator === null ? 0 : (terms.denominator[row] as number));
    missing[group] = (missing[group] as number) - (terms.denominator === null ? 0 : 1);
  }
  return above.reduce(
    (sum, one, group) => sum + one / ((below[group] as number) + (missing[group] as number)),
    0,
  );
}

export function sumOf(values: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k] as number;
  return sum;
}

/** A number for each row. */
export function eachRow(sample: Sample, of: (row: number) => number): Float64Array {
  const values = new Float64Array(sample.rows);
  for (let row = 0; row < sample.rows; row++) values[row] = of(row);
  return values;
}
