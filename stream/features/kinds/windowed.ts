import type { CompiledFeature } from '../../../workspace/index.ts';
import {
  bucketOf,
  type Cell,
  indexAfter,
  lastBucket,
  mergeRing,
  placeOf,
  type Ring,
  readRing,
  writeRing,
} from '../parts/ring.ts';
import { baseTime } from '../subject.ts';
import { keyed } from './keyed.ts';
import type { Kind, Reads } from './kind.ts';

/** What the kinds over rolling windows (count, sum, min, max, mean) tell of themselves. */
export interface Measure {
  readonly cell: Cell;
  readonly reads: Reads;
  /** The value of a window without events. */
  readonly ofNothing: number | null;
}

/** A measure over a rolling window; one for each value of the feature's `by` property, if it has one. */
export function windowed(feature: CompiledFeature, measure: Measure): Kind<Ring> | ReturnType<typeof keyed> {
  return feature.by === null ? single(feature, measure) : keyed(feature, measure);
}

/** The slot is the ring itself. */
function single(feature: CompiledFeature, { cell, reads, ofNothing }: Measure): Kind<Ring> {
  const { bucketMs, buckets, scale } = feature;
  const stride = cell.blank.length + 1;
  // A feature that reads system events can be ahead of the subject's newest ordinary event.
  const headOf = (ring: Ring, newest: number): number =>
    Math.max(bucketOf(newest, bucketMs), lastBucket(ring, stride));
  return {
    reads,
    empty: () => [],
    update(ring, seen, subject) {
      const bucket = bucketOf(seen.time, bucketMs);
      const oldest = headOf(ring, subject.newest) - buckets;
      if (bucket > oldest) cell.add(ring, placeOf(ring, cell, bucket, oldest) + 1, seen.number);
    },
    read(ring, at, subject) {
      const newest = bucketOf(at, bucketMs);
      const from = indexAfter(ring, stride, Math.max(newest, headOf(ring, subject.newest)) - buckets);
      const to = indexAfter(ring, stride, newest);
      return from < to ? cell.value(ring, from, to, scale) : ofNothing;
    },
    encode(ring, writer, subject) {
      const oldest = headOf(ring, subject.newest) - buckets;
      if (lastBucket(ring, stride) > oldest)
        writeRing(writer, cell, ring, oldest, bucketOf(baseTime(subject), bucketMs));
    },
    decode: (reader, subject) => readRing(reader, cell, bucketOf(baseTime(subject), bucketMs)),
    merge: (into, from) => mergeRing(into, from, cell),
  };
}
