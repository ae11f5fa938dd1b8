import { mostVarintBytes, putSigned, readSigned } from '../parts/bytes.ts';
import { powerOf } from '../parts/decimal.ts';
import type { Measure } from './measure.ts';

/** The greatest of a property's decimals; null of nothing. A bucket holds its greatest amount. */
export const max: Measure = {
  reads: 'amount',
  ofNothing: null,
  sql: {
    aggregates: [{ name: 'max', of: (amount) => amount }],
    value: ([amount], unit) => `toFloat64(${amount}) / ${unit}`,
  },
  cell: {
    blank: [-Infinity],
    add(ring, at, amount) {
      if (amount > (ring[at] ?? -Infinity)) ring[at] = amount;
    },
    combine(ring, at, from, fromAt) {
      ring[at] = Math.max(ring[at] ?? -Infinity, from[fromAt] ?? -Infinity);
    },
    mostBytes: mostVarintBytes,
    put: (bytes, to, ring, at) => putSigned(bytes, to, ring[at] ?? 0),
    read: (reader, ring) => {
      ring.push(readSigned(reader));
    },
    value(ring, from, to, stride, scale) {
      let greatest = -Infinity;
      for (let at = from; at < to; at += stride) greatest = Math.max(greatest, ring[at] ?? -Infinity);
      return greatest === -Infinity ? null : greatest / powerOf(scale);
    },
  },
};
