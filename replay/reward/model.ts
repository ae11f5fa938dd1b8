import type { DecisionLog } from '../log/decision-log.ts';
import { actionPart, addFeatures, commonPart, type Layout } from './layout.ts';
import { minimise } from './lbfgs.ts';

/** Expected reward of any action at any row of the log that it was made for. */
export interface RewardModel {
  expected(row: number, action: number): number;
  /** The mean over what a policy would do. */
  expectedUnder(row: number, actions: ArrayLike<number>, probabilities: ArrayLike<number>): number;
}

/** Rewards that are all 0 or 1 have a logistic model, others a linear one. */
export type Family = 'logistic' | 'linear';

export const familyOf = ({ reward }: Pick<DecisionLog, 'reward'>): Family =>
  reward.every((one) => one === 0 || one === 1) ? 'logistic' : 'linear';

/**
 * Fits a regression with a quadratic penalty on all but its constant to some rows of a log: the less data an action or
 * a column has, the closer it stays to the common rate. `penalty` 1 is a prior of variance 1 on the scale of log odds
 * (of standard deviations of the reward in the linear one).
 */
export function fitReward(
  log: DecisionLog,
  layout: Layout,
  rows: Int32Array,
  family: Family,
  penalty: number,
): RewardModel {
  let mean = 0;
  for (const row of rows) mean += (log.reward[row] as number) / Math.max(1, rows.length);
  let variance = 0;
  for (const row of rows) variance += ((log.reward[row] as number) - mean) ** 2 / Math.max(1, rows.length);
  const scale = family === 'linear' && variance > 0 ? variance : 1;
  const x = new Float64Array(layout.size);
  x[0] = family === 'logistic' ? logOdds(mean) : mean;
  // Nothing differs between rows, so there is nothing to learn.
  if (variance > 0)
    minimise(
      {
        evaluate: (at, gradient) => {
          let loss = 0;
          for (let k = 1; k < at.length; k++) {
            loss += ((penalty / scale) * (at[k] as number) ** 2) / 2;
            gradient[k] = (penalty / scale) * (at[k] as number);
          }
          gradient[0] = 0;
          for (const row of rows) {
            const action = log.action[row] as number;
            const linear = commonPart(log, layout, at, row) + actionPart(log, layout, at, row, action);
            const reward = log.reward[row] as number;
            if (family === 'logistic') {
              loss += Math.log1p(Math.exp(-Math.abs(linear))) + Math.max(linear, 0) - reward * linear;
              addFeatures(log, layout, row, sigmoid(linear) - reward, gradient);
            } else {
              loss += (linear - reward) ** 2 / (2 * scale);
              addFeatures(log, layout, row, (linear - reward) / scale, gradient);
            }
          }
          return loss;
        },
      },
      x,
      // On average over the rows, what is told is then right to a hundred-thousandth for each action and column.
      1e-5 * rows.length,
    );
  const link = family === 'logistic' ? sigmoid : (linear: number): number => linear;
  return {
    expected: (row, action) =>
      link(commonPart(log, layout, x, row) + actionPart(log, layout, x, row, action)),
    expectedUnder: (row, actions, probabilities) => {
      const common = commonPart(log, layout, x, row);
      let sum = 0;
      for (let k = 0; k < actions.length; k++) {
        const probability = probabilities[k] as number;
        if (probability > 0)
          sum += probability * link(common + actionPart(log, layout, x, row, actions[k] as number));
      }
      return sum;
    },
  };
}

const sigmoid = (linear: number): number => 1 / (1 + Math.exp(-linear));

function logOdds(rate: number): number {
  const inside = Math.min(1 - 1e-9, Math.max(1e-9, rate));
  return Math.log(inside / (1 - inside));
}
