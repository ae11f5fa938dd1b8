import type { CompiledFeature } from '../../../workspace/index.ts';
import {
  type Buckets,
  firstAfter,
  heldIn,
  makeBuckets,
  newestBucket,
  openBucket,
  readBuckets,
  writeBuckets,
} from '../parts/buckets.ts';
import { readCount, readText, readVarint, unreadable, writeText, writeVarint } from '../parts/bytes.ts';
import { addOccurrence, type Counts, mergeCounts } from '../parts/frequent.ts';
import { bucketOf } from '../parts/ring.ts';
import { compareText } from '../parts/text.ts';
import { moreThan } from '../sql/port.ts';
import { baseTime, type Subject } from '../subject.ts';
import type { Kind } from './kind.ts';

/**
 * The k most frequent values of a property in the window, as texts, most frequent first (ties: code point order);
 * empty of nothing. Each bucket counts at most `keys` different values: exact, and the same in any order, while no
 * bucket sees more. Beyond that (parts/frequent.ts) a count is never too high, and too low by at most a
 * 1 / (keys + 1) of the window's events; so a value with more than that share is never lost.
 */
export function topK(feature: CompiledFeature): Kind<Buckets<Counts>> {
  const { bucketMs, buckets, keys, n } = feature;
  const headOf = (slot: Buckets<Counts>, subject: Subject): number =>
    Math.max(newestBucket(slot), bucketOf(subject.newest, bucketMs));
  const blank = (): Counts => new Map();
  return {
    reads: 'text',
    sql: {
      bound: null,
      value({ inWindow, value }) {
        const totals = `sumMapIf(map(${value}, toUInt64(1)), ${inWindow})`;
        const ranked = `arraySort(arrayMap((v, c) -> (-toInt64(c), v), mapKeys(${totals}), mapValues(${totals})))`;
        return `arrayMap(x -> x.2, arraySlice(${ranked}, 1, ${n}))`;
      },
      beyond: ({ matches, bucket, value }) => moreThan(keys, matches, bucket, value, 1),
    },
    empty: makeBuckets,
    update(slot, seen, subject) {
      const bucket = bucketOf(seen.time, bucketMs);
      const oldest = headOf(slot, subject) - buckets;
      if (bucket <= oldest) return;
      const counts = slot.held[openBucket(slot, bucket, oldest, blank)];
      if (counts !== undefined) addOccurrence(counts, seen.text, keys);
    },
    read(slot, at, subject) {
      const newest = bucketOf(at, bucketMs);
      const totals: Counts = new Map();
      for (const counts of heldIn(slot, Math.max(newest, headOf(slot, subject)) - buckets, newest))
        for (const [value, count] of counts) totals.set(value, (totals.get(value) ?? 0) + count);
      return [...totals]
        .sort(([a, left], [b, right]) => right - left || compareText(a, b))
        .slice(0, n)
        .map(([value]) => value);
    },
    encode(slot, writer, subject) {
      const oldest = headOf(slot, subject) - buckets;
      if (newestBucket(slot) <= oldest) return;
      const alive = slot.held.slice(firstAfter(slot, oldest));
      const values = [...new Set(alive.flatMap((counts) => [...counts.keys()]))].sort(compareText);
      writeVarint(writer, values.length);
      for (const value of values) writeText(writer, value);
      const places = new Map(values.map((value, index) => [value, index]));
      writeBuckets(writer, slot, oldest, bucketOf(baseTime(subject.newest), bucketMs), (counts) => {
        writeVarint(writer, counts.size);
        let previous = -1;
        const placed = [...counts].map(([value, count]) => [places.get(value) ?? 0, count] as const);
        for (const [place, count] of placed.sort(([a], [b]) => a - b)) {
          writeVarint(writer, place - previous - 1);
          writeVarint(writer, count);
          previous = place;
        }
      });
    },
    decode(reader, subject) {
      const values: string[] = [];
      for (let left = readCount(reader, 1); left > 0; left--) values.push(readText(reader));
      if (new Set(values).size < values.length) unreadable('a value is there twice', reader.at);
      return readBuckets(reader, bucketOf(baseTime(subject.newest), bucketMs), () => {
        const counts: Counts = new Map();
        let place = -1;
        for (let left = readCount(reader, 2); left > 0; left--) {
          place += readVarint(reader) + 1;
          const value = values[place];
          if (value === undefined) return unreadable('a count is of no value', reader.at);
          counts.set(value, readVarint(reader));
        }
        return counts;
      });
    },
    words: ({ at, held }) =>
      `counts in ${at.length} of ${buckets} buckets of ${bucketMs / 1_000} s, of at most ${Math.max(0, ...held.map(({ size }) => size))} values in one; ${keys} fit`,
    merge(into, from) {
      from.at.forEach((bucket, index) => {
        const at = openBucket(into, bucket, -Infinity, blank);
        into.held[at] = mergeCounts(into.held[at] ?? blank(), from.held[index] ?? blank(), keys);
      });
    },
  };
}
