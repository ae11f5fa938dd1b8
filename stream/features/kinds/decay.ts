import type { CompiledFeature } from '../../../workspace/index.ts';
import { numberOf, powerOf } from '../parts/decimal.ts';
import { addWeighted, halved, powerOfTwo, weightUnit } from '../parts/half-life.ts';
import {
  bucketOf,
  endAt,
  indexAfter,
  lastBucket,
  mergeRing,
  placeOf,
  type Ring,
  readRing,
  ringInWords,
  writeRing,
} from '../parts/ring.ts';
import { baseTime } from '../subject.ts';
import type { Kind } from './kind.ts';
import { sum } from './sum.ts';

const stride = 3;

/**
 * A count or sum in which an event of age a weighs 2^(-a / half-life); 0 of nothing. Forward decay (Cormode,
 * Shkapenyuk, Srivastava, Xu: Forward Decay, ICDE 2009): an event's weight is taken once, relative to a landmark, and
 * the sum is divided down when it is read. The landmarks are the beginnings of quarters of a half-life in event time,
 * each with a sum of its own, so they never move and no order of events makes a difference. Weights are multiples of
 * 2^-20, so sums are exact integers.
 *
 * Bound: |value - true value| <= 5e-7 x (sum of |amount| x weight) + 6e-8 x (sum of |amount| left out), where events
 * older than 24 half-lives are left out. A decision that is late sees the later events of its quarter (weights up to 1.19).
 */
export function decay(feature: CompiledFeature): Kind<Ring> {
  const { bucketMs, buckets, halfLifeMs, property } = feature;
  const unit = weightUnit * (property === null ? 1 : powerOf(feature.scale));
  const headOf = (ring: Ring, newest: number): number =>
    Math.max(bucketOf(newest, bucketMs), lastBucket(ring, stride));
  return {
    reads: property === null ? 'nothing' : 'amount',
    sql: {
      bound: {
        relative: 1e-6,
        absolute: 1e-6,
        why: 'weights are kept as multiples of 2^-20 (docs/features.md)',
      },
      value: ({ inWindow, value }) =>
        `sumIf(${property === null ? '1' : `toFloat64(${value}) / ${powerOf(feature.scale)}`} * exp2(toFloat64(time - at) / ${halfLifeMs}), ${inWindow})`,
    },
    empty: () => [],
    update(ring, seen, subject) {
      const bucket = bucketOf(seen.time, bucketMs);
      const oldest = headOf(ring, subject.newest) - buckets;
      if (bucket <= oldest) return;
      const weight = Math.round(powerOfTwo((seen.time - bucket * bucketMs) / halfLifeMs) * weightUnit);
      const at = placeOf(ring, sum.cell, bucket, oldest) + 1;
      addWeighted(ring, at, property === null ? 1 : seen.number, weight);
    },
    read(ring, at, subject) {
      const newest = bucketOf(at, bucketMs);
      const to = endAt(ring, stride, newest);
      let value = 0;
      let i = indexAfter(ring, stride, Math.max(newest, headOf(ring, subject.newest)) - buckets);
      for (; i < to; i += stride) {
        const age = (at - (ring[i] ?? 0) * bucketMs) / halfLifeMs;
        value += (numberOf(ring[i + 1] ?? 0, ring[i + 2] ?? 0) / unit) * halved(age);
      }
      return value;
    },
    encode(ring, writer, subject) {
      const oldest = headOf(ring, subject.newest) - buckets;
      if (lastBucket(ring, stride) > oldest)
        writeRing(writer, sum.cell, ring, oldest, bucketOf(baseTime(subject.newest), bucketMs));
    },
    decode: (reader, subject) => readRing(reader, sum.cell, bucketOf(baseTime(subject.newest), bucketMs)),
    words: (ring) => ringInWords(ring, stride, bucketMs, buckets),
    merge: (into, from) => mergeRing(into, from, sum.cell),
  };
}
