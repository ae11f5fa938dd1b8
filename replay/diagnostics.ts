import { eachRow, type Sample, sumOf } from './estimators/sample.ts';
import type { Units } from './intervals/units.ts';
import type { DecisionLog } from './log/decision-log.ts';
import type { SparseRows } from './log/sparse.ts';
import type { Policy } from './policy/policy.ts';

export interface WeightDiagnostics {
  /** 1 but for chance, where propensities are right and the log's policy could choose all that this one does. */
  readonly mean: number;
  /** Of the mean, over units. */
  readonly standardError: number;
  readonly largest: number;
  readonly median: number;
  /** The weight that 1% are above. */
  readonly upperPercent: number;
  /** Share of rows whose action the policy never takes. */
  readonly zero: number;
}

export interface Diagnostics {
  /** (sum w)^2 / sum(w^2) (Kish 1965); in slates the least over positions. */
  readonly ess: number;
  /** What `ess` is out of: rows or slates. */
  readonly decisions: number;
  readonly weights: WeightDiagnostics;
  /** (sum w r)^2 / sum((w r)^2): how many equal rewards would vary as these do. */
  readonly effectivePositives: number;
  /** The policy's probability of actions that the log's policy did not choose there. */
  readonly outsideSupport: number;
}

export function diagnose(log: DecisionLog, policy: Policy, sample: Sample, units: Units): Diagnostics {
  const groups = Array.from({ length: sample.groups }, (_, group) => {
    const isIn = (row: number): boolean => sample.group === null || sample.group[row] === group;
    return { ess: effective(sample.weight, isIn), ...meanWeight(sample.weight, units, isIn) };
  });
  // The position whose mean weight is the most unlikely stands for all.
  const worst = groups.reduce((most, one) => (surprise(one) > surprise(most) ? one : most));
  const sorted = sample.weight.slice().sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const rewarded = eachRow(sample, (row) => (sample.weight[row] as number) * (sample.reward[row] as number));
  return {
    ess: Math.min(...groups.map(({ ess }) => ess)),
    decisions: sample.decisions,
    weights: {
      mean: worst.mean,
      standardError: worst.standardError,
      largest: at(1),
      median: at(0.5),
      upperPercent: at(0.99),
      zero: sample.weight.reduce((count, one) => count + (one === 0 ? 1 : 0), 0) / sample.rows,
    },
    effectivePositives: effective(rewarded, () => true),
    outsideSupport: massOutside(log, policy),
  };
}

/** |mean - 1| in standard errors. */
export function surprise({ mean, standardError }: { mean: number; standardError: number }): number {
  const off = Math.abs(mean - 1);
  return off < 1e-9 ? 0 : off / standardError;
}

function effective(values: Float64Array, isIn: (row: number) => boolean): number {
  let sum = 0;
  let squares = 0;
  for (let row = 0; row < values.length; row++) {
    if (!isIn(row)) continue;
    const value = values[row] as number;
    sum += value;
    squares += value * value;
  }
  return squares === 0 ? 0 : (sum * sum) / squares;
}

/** With the standard error of a ratio of sums over units, so that a subject's rows need not be independent. */
function meanWeight(weight: Float64Array, units: Units, isIn: (row: number) => boolean) {
  const sums = new Float64Array(units.count);
  const rows = new Float64Array(units.count);
  for (let row = 0; row < weight.length; row++) {
    if (!isIn(row)) continue;
    const unit = units.of[row] as number;
    sums[unit] = (sums[unit] as number) + (weight[row] as number);
    rows[unit] = (rows[unit] as number) + 1;
  }
  const count = sumOf(rows);
  const mean = sumOf(sums) / count;
  let squares = 0;
  for (let unit = 0; unit < units.count; unit++)
    squares += ((sums[unit] as number) - mean * (rows[unit] as number)) ** 2;
  const correction = units.count / Math.max(1, units.count - 1);
  return { mean, standardError: Math.sqrt(squares * correction) / count };
}

/**
 * Where a row has the log's whole distribution, what that gives no probability; else what the log never has at the row's
 * position, or what the row says could not be chosen.
 */
function massOutside(log: DecisionLog, policy: Policy): number {
  const actions = log.actions.list.length;
  const seen = new Uint8Array(log.positions.length * actions);
  for (let row = 0; row < log.rows; row++)
    seen[(log.position[row] as number) * actions + (log.action[row] as number)] = 1;
  let outside = 0;
  for (let row = 0; row < log.rows; row++) {
    const { actions: drawn, probabilities } = policy.at(row);
    for (let k = 0; k < drawn.length; k++) {
      const action = drawn[k] as number;
      const probability = probabilities[k] as number;
      if (probability === 0 || action === log.action[row]) continue;
      const known = valueAt(log.propensities, row, action);
      const isSupported =
        known === null
          ? seen[(log.position[row] as number) * actions + action] === 1 &&
            valueAt(log.candidates, row, action) !== 0
          : known > 0;
      if (!isSupported) outside += probability;
    }
  }
  return log.rows === 0 ? 0 : outside / log.rows;
}

/** null: the row has no such numbers at all. */
function valueAt(rows: SparseRows | null, row: number, action: number): number | null {
  if (rows === null) return null;
  const from = rows.starts[row] as number;
  const to = rows.starts[row + 1] as number;
  if (from === to) return null;
  for (let k = from; k < to; k++) if (rows.actions[k] === action) return rows.values[k] as number;
  return 0;
}
