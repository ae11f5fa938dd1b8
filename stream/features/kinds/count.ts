import { mostVarintBytes, putVarint, readVarint } from '../parts/bytes.ts';
import type { Measure } from './measure.ts';

/** How many events; 0 of nothing. A bucket holds their number. */
export const count: Measure = {
  reads: 'nothing',
  ofNothing: 0,
  sql: {
    aggregates: [{ name: 'sum', of: () => 'toUInt64(1)' }],
    value: ([events]) => `toFloat64(${events})`,
  },
  cell: {
    blank: [0],
    add(ring, at) {
      ring[at] = (ring[at] ?? 0) + 1;
    },
    combine(ring, at, from, fromAt) {
      ring[at] = (ring[at] ?? 0) + (from[fromAt] ?? 0);
    },
    mostBytes: mostVarintBytes,
    put: (bytes, to, ring, at) => putVarint(bytes, to, ring[at] ?? 0),
    read: (reader, ring) => {
      ring.push(readVarint(reader));
    },
    value(ring, from, to, stride) {
      let events = 0;
      for (let at = from; at < to; at += stride) events += ring[at] ?? 0;
      return events;
    },
  },
};
