import { describe, expect, it } from 'vitest';
import type { Examples } from './examples.ts';
import { fitLogistic, logisticDefaults, logitOf, logitsOf, sigmoid } from './logistic.ts';
import { randomFrom } from './random.ts';

/** Two inputs; the truth is linear in the first and an exclusive or of the second with it. */
function drawn(count: number, seed: number, truth: (x: number, y: number) => number): Examples {
  const random = randomFrom(seed);
  const values = new Float32Array(count * 2);
  const labels = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    values[row * 2] = random.uniform() * 2 - 1;
    values[row * 2 + 1] = random.below(2);
    const probability = sigmoid(truth(values[row * 2] ?? 0, values[row * 2 + 1] ?? 0));
    labels[row] = random.uniform() < probability ? 1 : 0;
  }
  return { inputs: ['x', 'y'], values, labels };
}

const free = { ...logisticDefaults, l1: 0, l2: 0, bins: 1, epochs: 60, alpha: 0.5 };

/** The maximum of the likelihood over (bias, weight of x, weight of y), by plain gradient ascent. */
function maximumLikelihood({ values, labels }: Examples): number[] {
  const weights = [0, 0, 0];
  for (let round = 0; round < 4_000; round++) {
    const gradient = [0, 0, 0];
    labels.forEach((label, row) => {
      const x = [1, values[row * 2] ?? 0, values[row * 2 + 1] ?? 0];
      const error = label - sigmoid(x.reduce((sum, value, i) => sum + value * (weights[i] ?? 0), 0));
      x.forEach((value, i) => {
        gradient[i] = (gradient[i] ?? 0) + error * value;
      });
    });
    gradient.forEach((value, i) => {
      weights[i] = (weights[i] ?? 0) + (2 * value) / labels.length;
    });
  }
  return weights;
}

describe('logistic regression', () => {
  it('finds the maximum of the likelihood where nothing is held back', () => {
    const examples = drawn(2_000, 3, (x, y) => 0.4 + 1.5 * x - 0.8 * y);
    const [bias = 0, ofX = 0, ofY = 0] = maximumLikelihood(examples);
    const model = fitLogistic(examples, free);
    for (const [x, y] of [
      [-0.9, 0],
      [0, 1],
      [0.7, 1],
      [0.3, 0],
    ] as const)
      expect(logitOf(model, Float32Array.of(x, y))).toBeCloseTo(bias + ofX * x + ofY * y, 1);
  });

  it('learns by a hashed cross what no sum of its inputs tells', () => {
    const truth = (x: number, y: number) => (x > 0 === (y === 1) ? 2 : -2);
    const options = { ...logisticDefaults, bins: 8, l1: 0, l2: 0 };
    const lossOf = (crosses: readonly (readonly string[])[]) => {
      const model = fitLogistic(drawn(4_000, 5, truth), { ...options, crosses });
      const fresh = drawn(2_000, 6, truth);
      const logits = logitsOf(model, fresh);
      return fresh.labels.reduce((sum, label, row) => {
        const logit = logits[row] ?? 0;
        return sum + Math.log1p(Math.exp(label === 1 ? -logit : logit)) / fresh.labels.length;
      }, 0);
    };
    expect(lossOf([])).toBeGreaterThan(0.66);
    expect(lossOf([['x', 'y']])).toBeLessThan(0.43);
  });

  it('learns from lists which row is chosen, whatever they have in common', () => {
    const random = randomFrom(9);
    const count = 1_500 * 4;
    const values = new Float32Array(count * 2);
    const labels = new Uint8Array(count);
    const lists = Int32Array.from({ length: count }, (_, row) => Math.floor(row / 4));
    for (let list = 0; list < count / 4; list++) {
      const common = random.uniform() * 100;
      const weights = Array.from({ length: 4 }, (_, i) => {
        const x = random.uniform() * 2 - 1;
        values.set([x, common], (list * 4 + i) * 2);
        return Math.exp(2 * x);
      });
      let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
      const chosen = weights.findIndex((weight) => {
        left -= weight;
        return left < 0;
      });
      labels[list * 4 + chosen] = 1;
    }
    const model = fitLogistic({ inputs: ['x', 'common'], values, labels, lists }, { ...free, epochs: 20 });
    const gained = logitOf(model, Float32Array.of(0.5, 50)) - logitOf(model, Float32Array.of(-0.5, 50));
    expect(gained).toBeCloseTo(2, 0);
    expect(
      Math.abs(logitOf(model, Float32Array.of(0, 90)) - logitOf(model, Float32Array.of(0, 10))),
    ).toBeLessThan(0.2);
  });

  it('is the same for the same seed, and another for another', () => {
    const examples = drawn(500, 1, (x) => x);
    const options = { ...logisticDefaults, crosses: [['x', 'y']] };
    expect(fitLogistic(examples, options)).toEqual(fitLogistic(examples, options));
    expect(fitLogistic(examples, { ...options, seed: 2 }).weights).not.toEqual(
      fitLogistic(examples, options).weights,
    );
  });

  it('refuses a cross that names no input, or has too many combinations', () => {
    const examples = drawn(3_000, 1, (x) => x);
    expect(() => fitLogistic(examples, { ...logisticDefaults, crosses: [['x', 'z']] })).toThrow('"z"');
    expect(() => fitLogistic(examples, { ...logisticDefaults, bins: 600, crosses: [['x', 'x']] })).toThrow(
      'combinations',
    );
  });
});
