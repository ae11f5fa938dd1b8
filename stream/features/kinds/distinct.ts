import type { CompiledFeature } from '../../../workspace/index.ts';
import { readCount, readVarint, unreadable, writeVarint } from '../parts/bytes.ts';
import { hashNumber } from '../parts/hash.ts';
import {
  bucketOf,
  type Cell,
  endAt,
  indexAfter,
  lastBucket,
  placeOf,
  type Ring,
  readRing,
  writeRing,
} from '../parts/ring.ts';
import { moreThan } from '../sql/port.ts';
import { baseTime, type Subject } from '../subject.ts';
import type { Kind } from './kind.ts';

/**
 * How many different values of a property in the window, as texts (1 and "1" are one value), told apart by 53-bit
 * hashes; 0 of nothing. Exact up to `max`, at which it stays: of more values those with the newest events are kept
 * (ties: the greater hash), which depends on the set of events only.
 */
export interface Distinct {
  /** Newest bucket of any value. */
  head: number;
  /** The buckets in which each value occurred, by its hash. */
  readonly values: Map<number, Ring>;
}

/** That a value occurred in a bucket is all there is to know. */
const occurred: Cell = {
  blank: [],
  add() {},
  combine() {},
  mostBytes: 0,
  put: (_, to) => to,
  read() {},
  value: (_, from, to) => to - from,
};

export function distinct(feature: CompiledFeature): Kind<Distinct> {
  const { bucketMs, buckets, max } = feature;
  const oldestOf = (slot: Distinct, subject: Subject): number =>
    Math.max(slot.head, bucketOf(subject.newest, bucketMs)) - buckets;

  function add(slot: Distinct, hash: number, bucket: number, oldest: number): void {
    const known = slot.values.get(hash);
    if (known !== undefined) {
      placeOf(known, occurred, bucket, oldest);
      return;
    }
    slot.values.set(hash, [bucket]);
    // Values that have left the window are the least recent of all, so they go first.
    if (slot.values.size > max) slot.values.delete(leastRecent(slot.values));
  }

  return {
    reads: 'text',
    sql: {
      bound: null,
      value: ({ inWindow, value }) => `toFloat64(least(uniqExactIf(${value}, ${inWindow}), ${max}))`,
      beyond: ({ matches, bucket, value }) => moreThan(max, matches, bucket, value, buckets),
    },
    empty: () => ({ head: -Infinity, values: new Map() }),
    update(slot, seen, subject) {
      const bucket = bucketOf(seen.time, bucketMs);
      const oldest = oldestOf(slot, subject);
      if (bucket <= oldest) return;
      if (bucket > slot.head) slot.head = bucket;
      add(slot, hashNumber(seen.text), bucket, oldest);
    },
    read(slot, at, subject) {
      const newest = bucketOf(at, bucketMs);
      const oldest = Math.max(newest - buckets, oldestOf(slot, subject));
      let number = 0;
      for (const ring of slot.values.values())
        if (indexAfter(ring, 1, oldest) < endAt(ring, 1, newest)) number++;
      return number;
    },
    encode(slot, writer, subject) {
      const oldest = oldestOf(slot, subject);
      let alive = 0;
      const hashes = new Float64Array(slot.values.size);
      for (const [hash, ring] of slot.values) if (lastBucket(ring, 1) > oldest) hashes[alive++] = hash;
      if (alive === 0) return;
      writeVarint(writer, alive);
      for (const hash of hashes.subarray(0, alive).sort()) {
        writeVarint(writer, hash);
        const ring = slot.values.get(hash) ?? [];
        writeRing(writer, occurred, ring, oldest, bucketOf(baseTime(subject.newest), bucketMs));
      }
    },
    decode(reader, subject) {
      const slot: Distinct = { head: -Infinity, values: new Map() };
      const base = bucketOf(baseTime(subject.newest), bucketMs);
      for (let left = readCount(reader, 3); left > 0; left--) {
        const hash = readVarint(reader);
        if (slot.values.has(hash)) unreadable('a value is there twice', reader.at);
        const ring = readRing(reader, occurred, base);
        slot.values.set(hash, ring);
        slot.head = Math.max(slot.head, lastBucket(ring, 1));
      }
      return slot;
    },
    words: ({ values }) => `hashes of ${values.size} values, at most ${max}`,
    merge(into, from, subject) {
      into.head = Math.max(into.head, from.head);
      const oldest = oldestOf(into, subject);
      for (const [hash, ring] of from.values)
        for (const bucket of ring) if (bucket > oldest) add(into, hash, bucket, oldest);
    },
  };
}

function leastRecent(values: Map<number, Ring>): number {
  let least = -1;
  let leastBucket = Infinity;
  for (const [hash, ring] of values) {
    const bucket = lastBucket(ring, 1);
    if (bucket < leastBucket || (bucket === leastBucket && hash < least)) {
      least = hash;
      leastBucket = bucket;
    }
  }
  return least;
}
