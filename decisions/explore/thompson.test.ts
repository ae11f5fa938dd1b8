import { describe, expect, it } from 'vitest';
import { drawBeta } from './beta.ts';
import type { Item } from './items.ts';
import { randomFrom } from './random.ts';
import { orderProbability } from './thompson.ts';

const item = (action: string, alpha: number, beta: number, scale = 1): Item => ({
  action,
  priority: (alpha / (alpha + beta)) * scale,
  posterior: { alpha, beta },
  scale,
});
const places = (items: readonly Item[]) => items.map((_, place) => place);
const first = (items: readonly Item[], chosen: number): number =>
  orderProbability(items, [{ chosen, available: places(items) }]);

const logFactorials = new Float64Array(200_000);
for (let n = 1; n < logFactorials.length; n++) logFactorials[n] = (logFactorials[n - 1] ?? 0) + Math.log(n);
const logFactorial = (n: number): number => logFactorials[n] ?? Number.NaN;

/** P(Beta(a, b) > Beta(c, d)) for whole a: a finite sum (Cook, Exact calculation of beta inequalities, 2005). */
function isAbove(a: number, b: number, c: number, d: number): number {
  const logBeta = (x: number, y: number): number =>
    logFactorial(x - 1) + logFactorial(y - 1) - logFactorial(x + y - 1);
  let sum = 0;
  for (let k = 0; k < a; k++)
    sum += Math.exp(logBeta(c + k, b + d) - Math.log(b + k) - logBeta(1 + k, b) - logBeta(c, d));
  return sum;
}

describe('the probability that a draw from one posterior is the highest', () => {
  it.each([
    [1, 1, 1, 1],
    [2, 1, 1, 2],
    [12, 10, 6, 8],
    [1, 20, 2, 30],
    [300, 700, 310, 690],
    [20_000, 80_000, 20_300, 79_700],
    [3, 97, 300, 9_700],
  ])('is exact within 1e-4 for Beta(%i, %i) against Beta(%i, %i)', (a, b, c, d) => {
    const exact = isAbove(a, b, c, d);
    expect(Math.abs(first([item('x', a, b), item('y', c, d)], 0) - exact)).toBeLessThan(1e-4);
  });

  it('adds up to 1 over all candidates, wherever their densities are narrow, wide or end', () => {
    const random = randomFrom('thompson', 'sum');
    for (let round = 0; round < 60; round++) {
      const items = Array.from({ length: 2 + Math.floor(random.uniform() * 18) }, (_, index) =>
        item(
          `a${index}`,
          1 + random.uniform() ** 3 * 500 * (index % 3),
          1 + random.uniform() ** 3 * 2_000 * (index % 2),
          0.2 + 5 * random.uniform(),
        ),
      );
      const all = places(items).reduce((sum, place) => sum + first(items, place), 0);
      expect(Math.abs(all - 1)).toBeLessThan(1e-4 * items.length);
    }
  });

  it('is as often as drawn, in any order of three and above what nothing is worth', () => {
    const items = [
      item('a', 12, 30, 3),
      item('b', 4, 6, 2),
      { action: '', priority: 0.8 },
      item('c', 1, 1),
      item('d', 2, 9, 2.5),
    ];
    const random = randomFrom('thompson', 'order');
    const rounds = 40_000;
    const counts = new Map<string, number>();
    for (let round = 0; round < rounds; round++) {
      const drawn = items.map(({ posterior, scale = 1, priority }) =>
        posterior === undefined ? priority : drawBeta(posterior, random) * scale,
      );
      const order = places(items).sort((x, y) => (drawn[y] ?? 0) - (drawn[x] ?? 0));
      const end = order.findIndex((place) => items[place]?.action === '');
      const shown = order.slice(0, Math.min(3, end + 1)).join(' ');
      counts.set(shown, (counts.get(shown) ?? 0) + 1);
    }
    let all = 0;
    for (const [shown, count] of counts) {
      const chosen = shown.split(' ').map(Number);
      const slots = chosen.map((place, slot) => ({
        chosen: place,
        available: places(items).filter((other) => !chosen.slice(0, slot).includes(other)),
      }));
      const probability = orderProbability(items, slots);
      all += probability;
      const error = Math.sqrt((probability * (1 - probability)) / rounds);
      expect(Math.abs(count / rounds - probability), shown).toBeLessThan(4 * error + 1e-4);
    }
    expect(all).toBeGreaterThan(0.999);
    expect(all).toBeLessThan(1.001);
  });
});
