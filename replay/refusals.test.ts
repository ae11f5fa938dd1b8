import { describe, expect, it } from 'vitest';
import type { Diagnostics } from './diagnostics.ts';
import { largestShare } from './estimate.ts';
import { refusals, warnings } from './refusals.ts';

const fine: Diagnostics = {
  ess: 500,
  decisions: 10_000,
  weights: { mean: 1.02, standardError: 0.01, largest: 9, median: 1, upperPercent: 5, zero: 0 },
  effectivePositives: 40,
  outsideSupport: 0.005,
};
const evenly = [{ estimate: 'ips', share: 0.1 }];

/** The first words of the reasons. */
const reasons = (change: Partial<Diagnostics>, share = 0.1): string[] =>
  refusals({ ...fine, ...change }, [...evenly, { estimate: 'dr', share }]).map((one) => one.split(':')[0]!);

describe('a policy is recommended for its estimates', () => {
  it('where nothing stands against it', () => {
    expect(refusals(fine, evenly)).toEqual([]);
    expect(warnings(fine, null)).toEqual([]);
  });

  it('unless more than 1% of it is outside what the log did', () => {
    expect(reasons({ outsideSupport: 0.01 })).toEqual([]);
    expect(reasons({ outsideSupport: 0.0101 })).toEqual(['support']);
  });

  it('unless the mean weight is more than 3 standard errors from 1', () => {
    const weights = (mean: number) => ({ weights: { ...fine.weights, mean } });
    expect(reasons(weights(1.0299))).toEqual([]);
    expect(reasons(weights(1.0301))).toEqual(['weights']);
    expect(reasons(weights(0.9699))).toEqual(['weights']);
    // All weights alike, as in a log of the policy itself.
    expect(reasons({ weights: { ...fine.weights, mean: 1, standardError: 0 } })).toEqual([]);
    expect(reasons({ weights: { ...fine.weights, mean: 0, standardError: 0 } })).toEqual(['weights']);
  });

  it('unless the effective sample size is below 100, or below 1% of the decisions', () => {
    expect(reasons({ ess: 100 })).toEqual([]);
    expect(reasons({ ess: 99.9 })).toEqual(['ess']);
    expect(reasons({ ess: 500, decisions: 60_000 })).toEqual(['ess']);
    expect(reasons({ ess: 9 })).toEqual(['ess']);
  });

  it('unless the rewards are worth fewer than 10 equal ones, with a warning under 30', () => {
    expect(reasons({ effectivePositives: 9.9 })).toEqual(['positives']);
    expect(reasons({ effectivePositives: 10 })).toEqual([]);
    expect(warnings({ ...fine, effectivePositives: 29.9 }, null)).toHaveLength(1);
    expect(warnings({ ...fine, effectivePositives: 30 }, null)).toEqual([]);
    // Refused already.
    expect(warnings({ ...fine, effectivePositives: 5 }, null)).toEqual([]);
  });

  it('unless one row carries more than a quarter of any estimate', () => {
    expect(reasons({}, 0.25)).toEqual([]);
    expect(reasons({}, 0.26)).toEqual(['one_row']);
    expect(refusals(fine, [{ estimate: 'dr', share: 0.26 }])[0]).toContain('26% of dr');
  });

  it('with a warning where the model of rewards is no better than a constant', () => {
    const model = {
      family: 'logistic',
      folds: 3,
      penalties: [1, 1, 1],
      loss: 'log loss',
      outOfFold: 0.5,
      constant: 0.4,
      isBetterThanConstant: false,
    } as const;
    expect(warnings(fine, model)[0]).toContain('log loss of 0.5 and a constant one of 0.4');
    expect(warnings(fine, { ...model, isBetterThanConstant: true })).toEqual([]);
  });

  it("where a row's part is of the sum that makes the estimate, so that one can be more than all of it", () => {
    expect(largestShare(Float64Array.of(1, 2, 1))).toBe(0.5);
    expect(largestShare(Float64Array.of(6, -5, 1))).toBe(3);
    expect(largestShare(Float64Array.of(1, -1))).toBe(Number.POSITIVE_INFINITY);
    expect(largestShare(new Float64Array(3))).toBe(0);
    expect(reasons({}, Number.POSITIVE_INFINITY)).toEqual(['one_row']);
  });

  it('and every reason is told', () => {
    expect(
      reasons({ outsideSupport: 1, weights: { ...fine.weights, mean: 2 }, ess: 1, effectivePositives: 1 }, 1),
    ).toEqual(['support', 'weights', 'ess', 'positives', 'one_row']);
  });
});
