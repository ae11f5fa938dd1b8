import { mostBigBytes } from '../parts/bytes.ts';
import { addAmount, numberOf, powerOf, putSum, readSum } from '../parts/decimal.ts';
import { doubleOf } from '../sql/port.ts';
import type { Measure } from './measure.ts';

/** Exact sum of a property's decimals; 0 of nothing. A bucket holds the sum's low and high part (parts/decimal.ts). */
export const sum: Measure = {
  reads: 'amount',
  ofNothing: 0,
  sql: {
    aggregates: [{ name: 'sum', of: (amount) => `toInt128(${amount})` }],
    value: ([total = ''], unit) => `${doubleOf(total)} / ${unit}`,
  },
  cell: {
    blank: [0, 0],
    add: addAmount,
    combine(ring, at, from, fromAt) {
      addAmount(ring, at, from[fromAt] ?? 0);
      ring[at + 1] = (ring[at + 1] ?? 0) + (from[fromAt + 1] ?? 0);
    },
    mostBytes: mostBigBytes,
    put: (bytes, to, ring, at) => putSum(bytes, to, ring[at] ?? 0, ring[at + 1] ?? 0),
    read: readSum,
    value: (ring, from, to, stride, scale) => total(ring, from, to, stride) / powerOf(scale),
  },
};

/** The nearest double of the exact sum of all cells' sums, with which each cell begins; in amounts. */
export function total(ring: readonly number[], from: number, to: number, stride: number): number {
  const sums = [0, 0];
  for (let at = from; at < to; at += stride) {
    addAmount(sums, 0, ring[at] ?? 0);
    sums[1] = (sums[1] ?? 0) + (ring[at + 1] ?? 0);
  }
  return numberOf(sums[0] ?? 0, sums[1] ?? 0);
}
