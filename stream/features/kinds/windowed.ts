import type { CompiledFeature } from '../../../workspace/index.ts';
import { powerOf } from '../parts/decimal.ts';
import {
  bucketOf,
  endAt,
  indexAfter,
  lastBucket,
  mergeRing,
  placeOf,
  type Ring,
  readRing,
  writeRing,
} from '../parts/ring.ts';
import { baseTime } from '../subject.ts';
import type { Kind } from './kind.ts';
import type { Measure } from './measure.ts';

/** A measure over a rolling window. The slot is the ring itself. */
export function windowed(feature: CompiledFeature, { cell, reads, ofNothing, sql }: Measure): Kind<Ring> {
  const { bucketMs, buckets, scale } = feature;
  const stride = cell.blank.length + 1;
  // A feature that reads system events can be ahead of the subject's newest ordinary event.
  const headOf = (ring: Ring, newest: number): number =>
    Math.max(bucketOf(newest, bucketMs), lastBucket(ring, stride));
  return {
    reads,
    sql: {
      bound: null,
      value: ({ inWindow, value }) => {
        const results = sql.aggregates.map(({ name, of }) => `${name}If(${of(value)}, ${inWindow})`);
        const nothing = ofNothing === null ? 'NULL' : `toFloat64(${ofNothing})`;
        return `if(countIf(${inWindow}) = 0, ${nothing}, ${sql.value(results, `${powerOf(scale)}`)})`;
      },
    },
    empty: () => [],
    update(ring, seen, subject) {
      const bucket = bucketOf(seen.time, bucketMs);
      const last = ring.length - stride;
      if (last >= 0 && ring[last] === bucket) {
        cell.add(ring, last + 1, seen.number);
        return;
      }
      const oldest = headOf(ring, subject.newest) - buckets;
      if (bucket > oldest) cell.add(ring, placeOf(ring, cell, bucket, oldest) + 1, seen.number);
    },
    read(ring, at, subject) {
      const newest = bucketOf(at, bucketMs);
      const from = indexAfter(ring, stride, Math.max(newest, headOf(ring, subject.newest)) - buckets);
      const to = endAt(ring, stride, newest);
      return from < to ? cell.value(ring, from, to, scale) : ofNothing;
    },
    encode(ring, writer, subject) {
      const oldest = headOf(ring, subject.newest) - buckets;
      if (lastBucket(ring, stride) > oldest)
        writeRing(writer, cell, ring, oldest, bucketOf(baseTime(subject.newest), bucketMs));
    },
    decode: (reader, subject) => readRing(reader, cell, bucketOf(baseTime(subject.newest), bucketMs)),
    merge: (into, from) => mergeRing(into, from, cell),
  };
}
