import { describe, expect, it } from 'vitest';
import { unitsOf } from '../intervals/units.ts';
import { DecisionLogWriter } from '../log/decision-log.ts';
import { loggedPolicy } from '../policy/policy.ts';
import { seededRandom } from '../random.ts';
import { logOf, targetOf, worldOf } from '../synthetic.fixture.ts';
import { crossFit } from './cross-fit.ts';
import { layoutOf } from './layout.ts';
import { minimise } from './lbfgs.ts';
import { fitReward } from './model.ts';

describe('a cross-fitted model', () => {
  it('tells rewards that it has not seen better than a constant, where there is something to tell', () => {
    const world = worldOf({ seed: 4 });
    const log = logOf(world, 3_000, 5);
    const { quality, expected } = crossFit(log, targetOf(log), unitsOf(log, null, null), 1);
    expect(quality).toMatchObject({ loss: 'log loss', folds: 3, isBetterThanConstant: true });
    expect(quality.outOfFold).toBeLessThan(quality.constant);
    expect(expected.logged.every((one) => one > 0 && one < 1)).toBe(true);
  });

  it('says so where it does not: rewards that nothing has to do with', () => {
    const log = logOf(worldOf({ seed: 4, leastChance: 0.3, mostChance: 0.3 }), 2_000, 6);
    const { quality } = crossFit(log, targetOf(log), unitsOf(log, null, null), 1);
    expect(quality.isBetterThanConstant).toBe(false);
  });

  it('does not know a row by its own reward: ids as context give nothing away', () => {
    const random = seededRandom(8);
    const writer = new DecisionLogWriter();
    for (let row = 0; row < 1_000; row++)
      writer.add({
        action: 'a',
        position: '0',
        propensity: 1,
        reward: random() < 0.5 ? 1 : 0,
        context: { id: `row ${row}` },
        deterministic: false,
      });
    const log = writer.finish();
    const { expected } = crossFit(log, loggedPolicy(log), unitsOf(log, null, null), 1);
    let together = 0;
    for (let row = 0; row < log.rows; row++)
      together += (expected.logged[row]! - 0.5) * (log.reward[row]! - 0.5);
    expect(together).toBeLessThanOrEqual(0.01 * log.rows);
  });
});

it('fits numbers with a line, whatever their unit', () => {
  const random = seededRandom(2);
  const writer = new DecisionLogWriter();
  for (let row = 0; row < 400; row++) {
    const age = 20 + 60 * random();
    const action = random() < 0.5 ? 'a' : 'b';
    const reward = 1_000 + 10 * age + (action === 'a' ? 200 : 0);
    writer.add({ action, position: '0', propensity: 0.5, reward, context: { age }, deterministic: false });
  }
  const log = writer.finish();
  const rows = Int32Array.from({ length: 400 }, (_, row) => row);
  const model = fitReward(log, layoutOf(log), rows, 'linear', 0.001);
  for (const row of [0, 17, 399])
    expect(model.expected(row, log.action[row]!)).toBeCloseTo(log.reward[row]!, 0);
});

it('finds the minimum of a badly scaled function', () => {
  const x = Float64Array.of(-3, 5, 2);
  const scales = [1, 100, 0.01];
  minimise(
    {
      evaluate: (at, gradient) =>
        scales.reduce((sum, scale, k) => {
          gradient[k] = 2 * scale * (at[k]! - k);
          return sum + scale * (at[k]! - k) ** 2;
        }, 0),
    },
    x,
    1e-6,
  );
  x.forEach((one, k) => {
    expect(one).toBeCloseTo(k, 3);
  });
});
