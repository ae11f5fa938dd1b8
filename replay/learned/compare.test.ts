import { describe, expect, it } from 'vitest';
import { DecisionLogWriter } from '../log/decision-log.ts';
import { seededRandom } from '../random.ts';
import { compareLearned } from './compare.ts';

/** Half of the people like A, half like B, by `gap`; both are shown by lot. */
function logOf(rows: number, gap: number) {
  const random = seededRandom(5);
  const writer = new DecisionLogWriter();
  for (let row = 0; row < rows; row++) {
    const likes = random() < 0.5 ? 'A' : 'B';
    const action = random() < 0.5 ? 'A' : 'B';
    const reward = random() < 0.3 + (action === likes ? gap : 0) ? 1 : 0;
    writer.add({ action, position: '0', propensity: 0.5, reward, context: { likes }, deterministic: false });
  }
  return writer.finish();
}
const options = { against: 'A', splits: 5, resamples: 200, seed: 1, level: 0.95 };

describe('a learned policy', () => {
  it('is better where people differ: it finds out who likes what, and by how much', () => {
    const report = compareLearned(logOf(4_000, 0.2), options);
    expect(report.difference.verdict).toBe('better');
    expect(report.splitsAbove).toBe(5);
    expect(report.refused).toEqual([]);
    // 0.5 likes B and gets it.
    const [low, high] = report.difference.interval!;
    expect(low).toBeLessThan(0.1);
    expect(high).toBeGreaterThan(0.1);
    for (const { actions } of report.splits) expect(actions.B).toBeCloseTo(0.5, 1);
  });

  it("has no evidence of being better where they don't", () => {
    const report = compareLearned(logOf(2_000, 0), options);
    expect(report.difference.verdict).toBe('no evidence of better');
    const [low, high] = report.difference.interval!;
    expect(low).toBeLessThanOrEqual(0);
    expect(high).toBeGreaterThanOrEqual(0);
  });

  it('is not recommended on a log too small to tell', () => {
    expect(compareLearned(logOf(150, 0.2), options).refused.join()).toContain('ess:');
  });

  it('is compared with an action that the log has', () => {
    expect(() => compareLearned(logOf(50, 0), { ...options, against: 'C' })).toThrow('it has: ');
  });

  it('has intervals of splits at half the risk of the whole', () => {
    expect(compareLearned(logOf(200, 0), { ...options, splits: 1 }).levelOfSplits).toBeCloseTo(0.975, 12);
  });
});
