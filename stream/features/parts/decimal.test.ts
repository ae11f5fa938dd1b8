import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amount } from '../../../tests/reference/events.ts';
import { throughBytes } from '../../../tests/support/bytes.ts';
import { addAmount, amountOf, numberOf, putSum, readSum } from './decimal.ts';

describe('decimals', () => {
  it.each([
    [1.005, 2, 101],
    [-1.005, 2, -101],
    [2.5, 0, 3],
    [-2.5, 0, -3],
    [0.29, 2, 29],
    [1e-7, 4, 0],
    [0.00005, 4, 1],
    [1e-9, 9, 1],
    [-0, 4, 0],
    [1e21, 4, Number.NaN],
    [450_359_962_737.0496, 4, Number.NaN],
    [450_359_962_737.0495, 4, 4_503_599_627_370_495],
    [Infinity, 0, Number.NaN],
    [Number.NaN, 0, Number.NaN],
  ])('%d at scale %d is %d', (value, scale, expected) => {
    expect(amountOf(value, scale)).toBe(expected);
  });

  it('round the decimal as written, half away from zero', () => {
    const value = fc.oneof(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.tuple(fc.integer(), fc.integer({ min: 0, max: 9 })).map(([n, places]) => n / 10 ** places),
      fc.integer({ min: -1e7, max: 1e7 }).map((n) => (2 * n + 1) / 2_000),
    );
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 9 }), (number, scale) => {
        const exact = amount(number, scale);
        const size = exact < 0n ? -exact : exact;
        expect(amountOf(number, scale)).toBe(size < 2n ** 52n ? Number(exact) : Number.NaN);
      }),
      { numRuns: 20_000 },
    );
  });

  it('sum exactly, far beyond 2^53 and back, to the same bytes in any order', () => {
    const near = fc.oneof(
      fc.integer(),
      fc.maxSafeInteger().map((n) => Math.trunc(n / 2)),
    );
    fc.assert(
      fc.property(fc.array(near, { maxLength: 60 }), (amounts) => {
        const sumOf = (list: readonly number[]): [number, number] => {
          const sums = [0, 0];
          for (const each of list) addAmount(sums, 0, each);
          return [sums[0]!, sums[1]!];
        };
        const [low, high] = sumOf(amounts);
        expect(sumOf([...amounts].reverse())).toEqual([low, high]);
        expect(BigInt(high) * 2n ** 52n + BigInt(low)).toBe(
          amounts.reduce((sum, each) => sum + BigInt(each), 0n),
        );
        expect(numberOf(low, high)).toBe(Number(amounts.reduce((sum, each) => sum + BigInt(each), 0n)));
        const read: number[] = [];
        throughBytes(
          (w) => {
            w.length = putSum(w.bytes, 0, low, high);
          },
          (r) => readSum(r, read),
        );
        expect(read).toEqual([low, high]);
      }),
      { numRuns: 2_000 },
    );
  });
});
