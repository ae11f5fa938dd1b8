import { mostVarintBytes, putVarint, readVarint } from '../parts/bytes.ts';
import { powerOf } from '../parts/decimal.ts';
import { doubleOf } from '../sql/port.ts';
import type { Measure } from './measure.ts';
import { sum, total } from './sum.ts';

/** Exact sum by number of events: sum / (count * 10^scale), one rounding; null of nothing. A bucket holds both. */
export const mean: Measure = {
  reads: 'amount',
  ofNothing: null,
  sql: {
    aggregates: [
      { name: 'sum', of: (amount) => `toInt128(${amount})` },
      { name: 'sum', of: () => 'toUInt64(1)' },
    ],
    value: ([total = '', events], unit) => `${doubleOf(total)} / (toFloat64(${events}) * ${unit})`,
  },
  cell: {
    blank: [...sum.cell.blank, 0],
    add(ring, at, amount) {
      sum.cell.add(ring, at, amount);
      ring[at + 2] = (ring[at + 2] ?? 0) + 1;
    },
    combine(ring, at, from, fromAt) {
      sum.cell.combine(ring, at, from, fromAt);
      ring[at + 2] = (ring[at + 2] ?? 0) + (from[fromAt + 2] ?? 0);
    },
    mostBytes: sum.cell.mostBytes + mostVarintBytes,
    put: (bytes, to, ring, at) => putVarint(bytes, sum.cell.put(bytes, to, ring, at), ring[at + 2] ?? 0),
    read(reader, ring) {
      sum.cell.read(reader, ring);
      ring.push(readVarint(reader));
    },
    value(ring, from, to, stride, scale) {
      let events = 0;
      for (let at = from; at < to; at += stride) events += ring[at + 2] ?? 0;
      return events === 0 ? null : total(ring, from, to, stride) / (events * powerOf(scale));
    },
  },
};
