import type { Expected } from '../estimators/modelled.ts';
import type { Units } from '../intervals/units.ts';
import type { DecisionLog } from '../log/decision-log.ts';
import type { Policy } from '../policy/policy.ts';
import { dealt, fitChosen, lossOf, rowsWhere } from './choose.ts';
import { type Family, familyOf } from './model.ts';

export interface CrossFit {
  readonly expected: Expected;
  readonly quality: ModelQuality;
}

/** How well a model tells rewards that it was not fitted to, beside the mean reward of the rows it was fitted to. */
export interface ModelQuality {
  readonly family: Family;
  readonly folds: number;
  /** Of each fold's model. */
  readonly penalties: readonly number[];
  readonly loss: 'log loss' | 'squared error';
  readonly outOfFold: number;
  readonly constant: number;
  readonly isBetterThanConstant: boolean;
}

const folds = 3;

/**
 * Expected rewards from models that have not seen the row: units are dealt into three folds, and each fold is told by a
 * model of the others (cross-fitting: Chernozhukov et al. 2018, "Double/debiased machine learning"; Open Bandit Pipeline
 * does so, too), so that a model can't remember what it is asked to correct. A subject's rows stand in one fold.
 */
export function crossFit(log: DecisionLog, policy: Policy, units: Units, seed: number): CrossFit {
  const family = familyOf(log);
  const foldOf = dealt(units, folds, seed);
  const logged = new Float64Array(log.rows);
  const underPolicy = new Float64Array(log.rows);
  const penalties: number[] = [];
  let outOfFold = 0;
  let constant = 0;
  for (let fold = 0; fold < folds; fold++) {
    const training = rowsWhere(log, (row) => foldOf[row] !== fold);
    const { model, penalty } = fitChosen(log, training, units, family, seed + 1 + fold);
    penalties.push(penalty);
    const mean = meanReward(log, training);
    for (let row = 0; row < log.rows; row++) {
      if (foldOf[row] !== fold) continue;
      const { actions, probabilities } = policy.at(row);
      const reward = log.reward[row] as number;
      const told = model.expected(row, log.action[row] as number);
      logged[row] = told;
      underPolicy[row] = model.expectedUnder(row, actions, probabilities);
      outOfFold += lossOf(family, told, reward) / log.rows;
      constant += lossOf(family, mean, reward) / log.rows;
    }
  }
  return {
    expected: { logged, policy: underPolicy },
    quality: {
      family,
      folds,
      penalties,
      loss: family === 'logistic' ? 'log loss' : 'squared error',
      outOfFold,
      constant,
      isBetterThanConstant: outOfFold < constant,
    },
  };
}

function meanReward(log: DecisionLog, rows: Int32Array): number {
  let sum = 0;
  for (const row of rows) sum += log.reward[row] as number;
  return rows.length === 0 ? 0 : sum / rows.length;
}
