import { beforeAll, describe, expect, it } from 'vitest';
import { backtest } from './backtest.ts';
import type { Backtest, EstimateName } from './report.ts';
import { logOf, modelOf, targetOf, worldOf } from './synthetic.fixture.ts';

const isFull = process.env.PRESAGE_FULL === '1';
const runs = isFull ? 500 : 100;
const rows = isFull ? 2_000 : 1_500;
/** Minutes of a whole core, which a busy machine makes an hour. */
const patience = isFull ? 3_600_000 : 600_000;
const options = {
  assumption: 'independent',
  clip: null,
  resamples: isFull ? 1_000 : 500,
  level: 0.95,
} as const;

interface Tally {
  bootstrap: number;
  bernstein: number;
  squares: number;
}

/** Logs of worlds whose values are known, each of another world. Seeds are fixed: a run gives what it gave before. */
describe(`${runs} synthetic logs${isFull ? ' [full form]' : ''}`, () => {
  const tallies = new Map<string, Tally>();
  const refused: string[] = [];
  let leastEss = Number.POSITIVE_INFINITY;

  const models = ['good', 'misspecified', ...(isFull ? ['cross-fitted'] : [])] as const;
  beforeAll(async () => {
    for (let run = 1; run <= runs; run++) {
      const world = worldOf({ seed: run });
      const log = logOf(world, rows, 10_000 + run);
      for (const model of models) {
        const bend = model === 'good' ? undefined : (chance: number): number => 0.9 - 1.5 * chance;
        const expected = model === 'cross-fitted' ? null : modelOf(log, bend);
        const report = backtest(log, targetOf(log), { ...options, seed: run, expected });
        leastEss = Math.min(leastEss, report.ess);
        refused.push(...report.refused);
        for (const name of ['ips', 'snips', 'dr'] as const)
          count(`${name} ${model}`, report, name, world.value);
      }
      // The test runner wants to hear from this process now and then.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }, patience);

  function count(key: string, report: Backtest, name: EstimateName, truth: number): void {
    const { value, bootstrap, empiricalBernstein } = report.estimates[name];
    const tally = tallies.get(key) ?? { bootstrap: 0, bernstein: 0, squares: 0 };
    const holds = (ends: readonly [number, number] | null): number =>
      ends !== null && ends[0] <= truth && truth <= ends[1] ? 1 : 0;
    tally.bootstrap += holds(bootstrap) / runs;
    tally.bernstein += holds(empiricalBernstein) / runs;
    tally.squares += (value - truth) ** 2 / runs;
    tallies.set(key, tally);
  }

  const cases = ['ips good', 'snips good', ...models.map((model) => `dr ${model}`)];

  it('are worth more than 500 decisions each, and none is refused but for chance', () => {
    expect(leastEss).toBeGreaterThan(500);
    // |mean w - 1| > 3 standard errors happens to 0.3% of good logs.
    expect(refused.filter((one) => !one.startsWith('weights:'))).toEqual([]);
    expect(refused.length).toBeLessThanOrEqual(0.015 * runs * models.length);
  });

  it.each(cases)('have the truth in 92 to 98% of the bootstrap intervals of %s', (key) => {
    const share = tallies.get(key)?.bootstrap;
    if (isFull) console.log(`${key}: ${((share ?? 0) * 100).toFixed(1)}%`);
    expect(share).toBeGreaterThanOrEqual(0.92);
    expect(share).toBeLessThanOrEqual(0.98);
  });

  it.each(cases)('have the truth in at least 95% of the empirical-Bernstein intervals of %s', (key) => {
    expect(tallies.get(key)?.bernstein).toBeGreaterThanOrEqual(0.95);
  });

  it('are told with less error by DR with the good model than by IPS', () => {
    const error = (key: string): number => Math.sqrt(tallies.get(key)?.squares ?? Number.NaN);
    if (isFull) for (const key of cases) console.log(`${key}: RMSE ${error(key).toFixed(5)}`);
    expect(error('dr good')).toBeLessThan(error('ips good'));
  });
});

describe('a log that the policy has little to do with', () => {
  const world = worldOf({ seed: 3, contexts: 1, actions: 8, sharpness: 6 });
  const log = logOf(world, 300, 1);
  const report = backtest(log, targetOf(log), { ...options, seed: 1, expected: null });

  it('is refused where it is worth fewer than 10 decisions, and the estimates are there all the same', () => {
    expect(report.ess).toBeLessThan(10);
    expect(report.refused.some((one) => one.startsWith('ess:'))).toBe(true);
    for (const estimate of Object.values(report.estimates)) expect(estimate.value).toBeTypeOf('number');
  });
});

it('gives the same report for the same log and seed', () => {
  const once = (): Backtest => {
    const log = logOf(worldOf({ seed: 9 }), 500, 2);
    return backtest(log, targetOf(log), { ...options, seed: 4, expected: null });
  };
  expect(once()).toEqual(once());
});
