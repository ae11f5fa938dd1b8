import type { CompiledFeature } from '../../../workspace/index.ts';
import {
  type Buckets,
  heldIn,
  makeBuckets,
  newestBucket,
  openBucket,
  readBuckets,
  writeBuckets,
} from '../parts/buckets.ts';
import { bucketOf } from '../parts/ring.ts';
import {
  addText,
  estimate,
  mergeSketches,
  raiseAll,
  readSketch,
  type Sketch,
  writeSketch,
} from '../parts/sketch.ts';
import { baseTime, type Subject } from '../subject.ts';
import type { Kind } from './kind.ts';

/**
 * About how many different values of a property in the window, as texts, however many there are; 0 of nothing. Each
 * bucket has a HyperLogLog sketch (parts/sketch.ts); reading merges those of the window. The state depends on the set of
 * events only; its value has a standard error of 1.04 / sqrt(2^precision), and few values are nearly always exact.
 */
export function approxDistinct(feature: CompiledFeature): Kind<Buckets<Sketch>> {
  const { bucketMs, buckets, precision } = feature;
  const headOf = (slot: Buckets<Sketch>, subject: Subject): number =>
    Math.max(newestBucket(slot), bucketOf(subject.newest, bucketMs));
  const blank = (): Sketch => [];
  return {
    reads: 'text',
    sql: {
      bound: {
        relative: (5 * 1.04) / Math.sqrt(2 ** precision),
        absolute: 3,
        why: 'five standard errors of a HyperLogLog sketch (docs/features.md)',
      },
      value: ({ inWindow, value }) => `toFloat64(uniqExactIf(${value}, ${inWindow}))`,
    },
    empty: makeBuckets,
    update(slot, seen, subject) {
      const bucket = bucketOf(seen.time, bucketMs);
      const oldest = headOf(slot, subject) - buckets;
      if (bucket <= oldest) return;
      const at = openBucket(slot, bucket, oldest, blank);
      slot.held[at] = addText(slot.held[at] ?? [], seen.text, precision);
    },
    read(slot, at, subject) {
      const newest = bucketOf(at, bucketMs);
      const oldest = Math.max(newest, headOf(slot, subject)) - buckets;
      const sketches = heldIn(slot, oldest, newest);
      if (sketches.length === 0) return 0;
      const whole = new Uint8Array(2 ** precision);
      for (const sketch of sketches) raiseAll(whole, sketch);
      return Math.round(estimate(whole));
    },
    encode(slot, writer, subject) {
      const oldest = headOf(slot, subject) - buckets;
      if (newestBucket(slot) <= oldest) return;
      const base = bucketOf(baseTime(subject.newest), bucketMs);
      writeBuckets(writer, slot, oldest, base, (sketch) => writeSketch(writer, sketch, precision));
    },
    decode: (reader, subject) =>
      readBuckets(reader, bucketOf(baseTime(subject.newest), bucketMs), () => readSketch(reader, precision)),
    words: ({ at }) =>
      `sketches of ${at.length} of ${buckets} buckets of ${bucketMs / 1_000} s, each of 2^${precision} registers`,
    merge(into, from) {
      from.at.forEach((bucket, index) => {
        const at = openBucket(into, bucket, -Infinity, blank);
        into.held[at] = mergeSketches(into.held[at] ?? [], from.held[index] ?? [], precision);
      });
    },
  };
}
