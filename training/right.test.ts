import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomFrom } from './random.ts';
import { fitRight, type RightLabel } from './right.ts';

describe('calibration of being right', () => {
  it('rises, stays within 0 and 1, and is one for equal scores, whatever the labels', () => {
    const label = fc.record({
      score: fc.double({ min: 0, max: 1, noNaN: true }),
      isRight: fc.boolean(),
      weight: fc.constantFrom(1, 50),
    });
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 400 }), (labels) => {
        const { x, y } = fitRight(labels);
        expect(x.length).toBe(y.length);
        for (let at = 0; at < x.length; at++) {
          expect(y[at]).toBeGreaterThan(0);
          expect(y[at]).toBeLessThan(1);
          if (at > 0) expect(x[at]).toBeGreaterThan(x[at - 1] ?? 1);
          if (at > 0) expect(y[at]).toBeGreaterThan(y[at - 1] ?? 1);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is drawn towards a half where there are few labels', () => {
    const five: RightLabel[] = Array.from({ length: 5 }, () => ({ score: 0.4, isRight: true, weight: 1 }));
    expect(fitRight(five)).toEqual({ x: [expect.closeTo(0.4)], y: [6 / 7] });
  });

  it('takes each label for all like it: where only the doubtful are always reviewed, weights put it right', () => {
    // Two kinds of decision with one score: the doubtful ones (always reviewed) are right in 4 of 10, those that pass
    // (one in 50 is reviewed) in 98 of 100. There are as many of both.
    const random = randomFrom(7).uniform;
    const labels: RightLabel[] = [];
    for (let index = 0; index < 20_000; index++) {
      const isDoubtful = index % 2 === 0;
      const isRight = random() < (isDoubtful ? 0.4 : 0.98);
      if (isDoubtful) labels.push({ score: 0.5, isRight, weight: 1 });
      else if (random() < 0.02) labels.push({ score: 0.5, isRight, weight: 50 });
    }
    const [weighted = 0] = fitRight(labels).y;
    const [plain = 0] = fitRight(labels.map((label) => ({ ...label, weight: 1 }))).y;
    expect(Math.abs(weighted - 0.69)).toBeLessThan(0.04);
    expect(plain).toBeLessThan(0.45);
  });

  it('finds a probability that rises with the score', () => {
    const random = randomFrom(11).uniform;
    const labels = Array.from({ length: 5_000 }, () => {
      const score = random();
      return { score, isRight: random() < 0.3 + 0.6 * score, weight: 1 };
    });
    const { x, y } = fitRight(labels);
    for (const [at, score] of x.entries())
      expect(Math.abs((y[at] ?? 0) - (0.3 + 0.6 * score))).toBeLessThan(0.12);
  });
});
