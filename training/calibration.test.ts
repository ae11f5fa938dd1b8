import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibrated } from '../scorers/calibrate.ts';
import { isotonic, platt, pools } from './calibration.ts';
import { sigmoid } from './logistic.ts';
import { randomFrom } from './random.ts';
import { reliabilityOf } from './reliability.ts';

const labelled = fc.array(
  fc.record({
    score: fc.integer({ min: 0, max: 12 }).map((n) => n / 12),
    label: fc.integer({ min: 0, max: 1 }),
  }),
  { minLength: 1, maxLength: 30 },
);

/** The minimax formula of isotonic regression over the means of tied scores (Barlow et al. 1972). */
function byFormula(rows: readonly { score: number; label: number }[]): Map<number, number> {
  const scores = [...new Set(rows.map(({ score }) => score))].sort((a, b) => a - b);
  const meanOf = (from: number, to: number) => {
    const some = rows.filter(({ score }) => score >= (scores[from] ?? 0) && score <= (scores[to] ?? 0));
    return some.reduce((sum, { label }) => sum + label, 0) / some.length;
  };
  return new Map(
    scores.map((score, i) => {
      let best = -Infinity;
      for (let from = 0; from <= i; from++) {
        let least = Infinity;
        for (let to = i; to < scores.length; to++) least = Math.min(least, meanOf(from, to));
        best = Math.max(best, least);
      }
      return [score, best];
    }),
  );
}

/** Probabilities that are too sure of themselves. */
function oversure(count: number, seed: number) {
  const random = randomFrom(seed);
  const logits = Array.from({ length: count }, () => random.uniform() * 4 - 2.5);
  return {
    probabilities: logits.map((logit) => sigmoid(2.5 * logit + 1)),
    labels: Uint8Array.from(logits, (logit) => (random.uniform() < sigmoid(logit) ? 1 : 0)),
  };
}

describe('pooling adjacent violators', () => {
  it('gives what the minimax formula gives', () => {
    fc.assert(
      fc.property(labelled, (rows) => {
        const formula = byFormula(rows);
        const found = pools(
          rows.map(({ score }) => score),
          rows.map(({ label }) => label),
        );
        expect(found.reduce((sum, pool) => sum + pool.rows, 0)).toBe(rows.length);
        // Each pool is a run of scores with one value, so the values in their order are those of the formula.
        const values = [...formula.values()].filter(
          (value, i, all) => i === 0 || Math.abs(value - (all[i - 1] ?? 0)) > 1e-9,
        );
        expect(found.map(({ value }) => value)).toEqual(values.map((value) => expect.closeTo(value, 9)));
      }),
      { numRuns: 300 },
    );
  });
});

describe.each([
  ['isotonic', isotonic],
  ['platt', platt],
] as const)('%s calibration', (_, calibrate) => {
  it('makes oversure probabilities right on rows that it has not seen', () => {
    const { probabilities, labels } = oversure(6_000, 1);
    const calibration = calibrate(probabilities, labels);
    const fresh = oversure(6_000, 2);
    const before = reliabilityOf(fresh.probabilities, fresh.labels);
    const after = reliabilityOf(
      fresh.probabilities.map((p) => calibrated(calibration, p)),
      fresh.labels,
    );
    expect(before.expectedCalibrationError).toBeGreaterThan(0.1);
    expect(after.expectedCalibrationError).toBeLessThan(0.03);
    expect(after.brier).toBeLessThan(before.brier);
    expect(after.logLoss).toBeLessThan(before.logLoss);
  });

  it('never turns an order round, and gives probabilities', () => {
    fc.assert(
      fc.property(labelled, (rows) => {
        const calibration = calibrate(
          rows.map(({ score }) => score),
          rows.map(({ label }) => label),
        );
        const values = Array.from({ length: 101 }, (_, i) => calibrated(calibration, i / 100));
        values.forEach((value, i) => {
          expect(value).toBeGreaterThanOrEqual(i === 0 ? 0 : (values[i - 1] ?? 0) - 1e-12);
          expect(value).toBeLessThanOrEqual(1);
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('isotonic calibration', () => {
  it('calls nothing impossible or certain', () => {
    const found = isotonic([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]);
    expect(found).toMatchObject({ kind: 'isotonic', y: [1 / 4, 3 / 4] });
  });
});

describe('Platt calibration', () => {
  it('finds the line that the labels were drawn by', () => {
    const { probabilities, labels } = oversure(20_000, 3);
    const found = platt(probabilities, labels);
    // logit = (log odds - 1) / 2.5
    expect(found).toEqual({ kind: 'platt', a: expect.closeTo(0.4, 1), b: expect.closeTo(-0.4, 1) });
  });
});

describe('reliability', () => {
  it('is what can be counted by hand', () => {
    const found = reliabilityOf([0.1, 0.1, 0.8, 0.6], [0, 1, 1, 0], 2);
    expect(found.brier).toBeCloseTo((0.01 + 0.81 + 0.04 + 0.36) / 4);
    expect(found.logLoss).toBeCloseTo(-(Math.log(0.9) + Math.log(0.1) + Math.log(0.8) + Math.log(0.4)) / 4);
    expect(found.bins).toEqual([
      { from: 0.1, to: 0.1, rows: 2, mean: 0.1, rate: 0.5 },
      { from: 0.6, to: 0.8, rows: 2, mean: expect.closeTo(0.7), rate: 0.5 },
    ]);
    expect(found.expectedCalibrationError).toBeCloseTo((0.4 + 0.2) / 2);
    // Of the four pairs of a positive with a negative 2.5 are in order: 0.1 and 0.1 is a tie.
    expect(found.auc).toBeCloseTo(2.5 / 4);
  });

  it('has no area under the curve without both classes', () => {
    expect(reliabilityOf([0.2, 0.4], [0, 0]).auc).toBeNull();
  });
});
