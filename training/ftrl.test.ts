import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ftrl } from './ftrl.ts';

const options = { alpha: 0.1, beta: 1, l1: 0.3, l2: 0.5 };

/** What the paper minimises at each step, for one coordinate, kept term by term. */
function objective(gradients: readonly number[], weights: readonly number[], w: number): number {
  let squares = 0;
  let value = options.l1 * Math.abs(w) + ((options.beta / options.alpha + options.l2) * w * w) / 2;
  gradients.forEach((gradient, step) => {
    const before = Math.sqrt(squares);
    squares += gradient * gradient;
    const sigma = (Math.sqrt(squares) - before) / options.alpha;
    value += gradient * w + (sigma * (w - (weights[step] ?? 0)) ** 2) / 2;
  });
  return value;
}

function minimum(of: (w: number) => number): number {
  let [low, high] = [-1_000, 1_000];
  for (let round = 0; round < 200; round++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (of(a) < of(b)) high = b;
    else low = a;
  }
  return (low + high) / 2;
}

describe('a weight of FTRL-Proximal', () => {
  it('is at each step the minimum that the paper states, found by search', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 1, maxLength: 12 }),
        (gradients) => {
          const ftrl = new Ftrl(1, options);
          const weights: number[] = [];
          for (const gradient of gradients) {
            weights.push(ftrl.weight(0));
            ftrl.update(0, gradient);
          }
          const best = minimum((w) => objective(gradients, weights, w));
          expect(ftrl.weight(0)).toBeCloseTo(best, 4);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('stays exactly 0 while its gradients do not outweigh l1', () => {
    const ftrl = new Ftrl(2, options);
    ftrl.update(0, 0.2);
    ftrl.update(0, -0.2);
    ftrl.update(1, 0.4);
    expect(ftrl.weight(0)).toBe(0);
    expect(ftrl.weight(1)).toBeLessThan(0);
  });
});
