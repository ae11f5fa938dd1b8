import type { Units } from '../intervals/units.ts';
import type { DecisionLog } from '../log/decision-log.ts';
import { seededRandom } from '../random.ts';
import { layoutOf } from './layout.ts';
import { type Family, fitReward, type RewardModel } from './model.ts';

export interface ChosenModel {
  readonly model: RewardModel;
  readonly penalty: number;
}

const penalties = [1_000, 100, 10, 1] as const;
/** Rows a fit looks at, at most: more data than this changes a regression of some thousand columns little. */
const mostRowsOfAFit = 200_000;

/**
 * A reward model of some rows, with the penalty with which a model of two thirds of them tells the last third best.
 * Nothing but these rows is looked at. From the strongest penalty on, as long as a weaker one does better.
 */
export function fitChosen(
  log: DecisionLog,
  rows: Int32Array,
  units: Units,
  family: Family,
  seed: number,
): ChosenModel {
  const layout = layoutOf(log);
  const part = dealt(units, 3, seed);
  const training = sampled(rows.filter((row) => part[row] !== 0));
  const held = rows.filter((row) => part[row] === 0);
  let best = { penalty: penalties[0] as number, loss: Number.POSITIVE_INFINITY };
  for (const penalty of penalties) {
    const loss = meanLoss(log, held, family, fitReward(log, layout, training, family, penalty));
    if (!(loss < best.loss)) break;
    best = { penalty, loss };
  }
  const { penalty } = best;
  return { model: fitReward(log, layout, sampled(rows), family, penalty), penalty };
}

function meanLoss(log: DecisionLog, rows: Int32Array, family: Family, model: RewardModel): number {
  let loss = 0;
  for (const row of rows)
    loss += lossOf(family, model.expected(row, log.action[row] as number), log.reward[row] as number);
  return loss / Math.max(1, rows.length);
}

/** Log loss of a told probability, squared error of a told number. */
export function lossOf(family: Family, told: number, reward: number): number {
  if (family === 'linear') return (told - reward) ** 2;
  const inside = Math.min(1 - 1e-12, Math.max(1e-12, told));
  return -(reward * Math.log(inside) + (1 - reward) * Math.log(1 - inside));
}

/** A number below `parts` for each row, the same for all rows of a unit. */
export function dealt(units: Units, parts: number, seed: number): Int32Array {
  const random = seededRandom(seed);
  const ofUnit = Int32Array.from({ length: units.count }, () => Math.floor(random() * parts));
  return units.of.map((unit) => ofUnit[unit] as number);
}

export function rowsWhere(log: Pick<DecisionLog, 'rows'>, is: (row: number) => boolean): Int32Array {
  const rows = new Int32Array(log.rows);
  let count = 0;
  for (let row = 0; row < log.rows; row++) if (is(row)) rows[count++] = row;
  return rows.subarray(0, count);
}

/** Every so many-th, where there are too many. */
function sampled(rows: Int32Array): Int32Array {
  const step = Math.ceil(rows.length / mostRowsOfAFit);
  return step <= 1 ? rows : rows.filter((_, place) => place % step === 0);
}
