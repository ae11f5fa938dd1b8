import type { DecisionLog } from './decision-log.ts';
import type { SparseRows } from './sparse.ts';

/** Some rows of a log, in their order, with the same numbers of actions and positions; without contexts. */
export function subsetOf(log: DecisionLog, rows: Int32Array): DecisionLog {
  const floats = (values: Float64Array): Float64Array =>
    Float64Array.from(rows, (row) => values[row] as number);
  const integers = (values: Int32Array): Int32Array => rows.map((row) => values[row] as number);
  const sparse = (all: SparseRows | null): SparseRows | null => all && sparseSubset(all, rows);
  return {
    ...log,
    rows: rows.length,
    reward: floats(log.reward),
    propensity: floats(log.propensity),
    marginal: floats(log.marginal),
    action: integers(log.action),
    position: integers(log.position),
    subject: log.subject && integers(log.subject),
    slate: log.slate && integers(log.slate),
    contexts: {
      names: [],
      starts: new Int32Array(rows.length + 1),
      columns: new Int32Array(0),
      values: new Float64Array(0),
      leftOut: 0,
    },
    candidates: sparse(log.candidates),
    propensities: sparse(log.propensities),
    policy: sparse(log.policy),
    expected: sparse(log.expected),
  };
}

function sparseSubset(all: SparseRows, rows: Int32Array): SparseRows {
  const starts = new Int32Array(rows.length + 1);
  const places: number[] = [];
  rows.forEach((row, index) => {
    for (let k = all.starts[row] as number; k < (all.starts[row + 1] as number); k++) places.push(k);
    starts[index + 1] = places.length;
  });
  return {
    starts,
    actions: Int32Array.from(places, (place) => all.actions[place] as number),
    values: Float64Array.from(places, (place) => all.values[place] as number),
  };
}
