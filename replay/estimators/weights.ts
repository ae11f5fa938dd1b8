import type { DecisionLog } from '../log/decision-log.ts';
import { type Policy, probabilityOf } from '../policy/policy.ts';
import type { Assumption } from './assumption.ts';
import type { Sample } from './sample.ts';

export type Weights = Pick<Sample, 'weight' | 'drawn' | 'before'>;

/**
 * Importance weights pi(a|x) / mu(a|x) of the logged actions under an assumption about rewards; for slates the products
 * that the assumption asks for (sources: assumption.ts). Where rows have no slate, each is one of its own.
 */
export function weightsOf(
  log: DecisionLog,
  policy: Policy,
  assumption: Assumption,
  slates: readonly Int32Array[] | null,
): Weights {
  const weight = new Float64Array(log.rows);
  const before = new Float64Array(log.rows).fill(1);
  const propensity = assumption === 'independent' ? log.marginal : log.propensity;
  for (let row = 0; row < log.rows; row++) {
    const probability = probabilityOf(policy.at(row), log.action[row] as number);
    weight[row] = policy.isOfLog ? 1 : probability / (propensity[row] as number);
  }
  if (slates === null || assumption === 'independent') return { weight, drawn: weight, before };
  for (const rows of slates) {
    let product = 1;
    for (const row of rows) {
      before[row] = product;
      product *= weight[row] as number;
      weight[row] = product;
    }
  }
  if (assumption === 'cascade') return { weight, drawn: weight, before };
  const ofSlate = new Float64Array(log.rows);
  for (const rows of slates) for (const row of rows) ofSlate[row] = weight[rows.at(-1) as number] as number;
  return { weight: ofSlate, drawn: weight, before };
}

/** Rows of each slate in the order of their positions (numbers before names); null: no row names a slate. */
export function slatesOf(log: DecisionLog): readonly Int32Array[] | null {
  if (log.slate === null) return null;
  const rows = new Map<number, number[]>();
  let alone = -1;
  for (let row = 0; row < log.rows; row++) {
    const named = log.slate[row] as number;
    const slate = named < 0 ? alone-- : named;
    const list = rows.get(slate);
    if (list === undefined) rows.set(slate, [row]);
    else list.push(row);
  }
  const rank = rankOfPositions(log.positions);
  const placeOf = (row: number): number => rank[log.position[row] as number] as number;
  return [...rows.values()].map((list) => Int32Array.from(list).sort((a, b) => placeOf(a) - placeOf(b)));
}

function rankOfPositions(positions: readonly string[]): Int32Array {
  const order = positions
    .map((name, index) => ({ name, index }))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const rank = new Int32Array(positions.length);
  order.forEach(({ index }, place) => {
    rank[index] = place;
  });
  return rank;
}
