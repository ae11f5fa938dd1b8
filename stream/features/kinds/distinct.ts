import type { CompiledFeature } from '../../../workspace/index.ts';
import { readCount, readSigned, readVarint, unreadable, writeSigned, writeVarint } from '../parts/bytes.ts';
import { hashNumber } from '../parts/hash.ts';
import { bucketOf } from '../parts/ring.ts';
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
  /** The buckets in which each value occurred, ascending, by its hash. */
  readonly values: Map<number, number[]>;
}

export function distinct(feature: CompiledFeature): Kind<Distinct> {
  const { bucketMs, buckets, max } = feature;
  const oldestOf = (slot: Distinct, subject: Subject): number =>
    Math.max(slot.head, bucketOf(subject.newest, bucketMs)) - buckets;

  function add(slot: Distinct, hash: number, bucket: number, oldest: number): void {
    const known = slot.values.get(hash);
    if (known !== undefined) {
      insert(known, bucket, oldest);
      return;
    }
    slot.values.set(hash, [bucket]);
    if (slot.values.size <= max) return;
    // Values that have left the window are the least recent of all, so they go first.
    slot.values.delete(leastRecent(slot.values));
  }

  return {
    reads: 'text',
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
      for (const seen of slot.values.values())
        if (seen.some((bucket) => bucket > oldest && bucket <= newest)) number++;
      return number;
    },
    encode(slot, writer, subject) {
      const oldest = oldestOf(slot, subject);
      const alive = [...slot.values].filter(([, seen]) => newestOf(seen) > oldest).sort(([a], [b]) => a - b);
      if (alive.length === 0) return;
      const base = bucketOf(baseTime(subject.newest), bucketMs);
      writeVarint(writer, alive.length);
      for (const [hash, seen] of alive) {
        writeVarint(writer, hash);
        const kept = seen.filter((bucket) => bucket > oldest);
        writeVarint(writer, kept.length);
        let previous = base;
        for (const [i, bucket] of kept.reverse().entries()) {
          if (i === 0) writeSigned(writer, previous - bucket);
          else writeVarint(writer, previous - bucket - 1);
          previous = bucket;
        }
      }
    },
    decode(reader, subject) {
      const slot: Distinct = { head: -Infinity, values: new Map() };
      const base = bucketOf(baseTime(subject.newest), bucketMs);
      for (let left = readCount(reader, 3); left > 0; left--) {
        const hash = readVarint(reader);
        if (slot.values.has(hash)) unreadable('a value is there twice', reader.at);
        const seen: number[] = [];
        const count = readCount(reader, 1);
        let bucket = base;
        for (let i = 0; i < count; i++) {
          bucket -= i === 0 ? readSigned(reader) : readVarint(reader) + 1;
          seen.push(bucket);
        }
        seen.reverse();
        slot.values.set(hash, seen);
        slot.head = Math.max(slot.head, newestOf(seen));
      }
      return slot;
    },
    merge(into, from, subject) {
      into.head = Math.max(into.head, from.head);
      const oldest = oldestOf(into, subject);
      for (const [hash, seen] of from.values)
        for (const bucket of seen) if (bucket > oldest) add(into, hash, bucket, oldest);
    },
  };
}

const newestOf = (seen: readonly number[]): number => seen[seen.length - 1] ?? -Infinity;

/** Puts a bucket in its place, once, and drops those that are out of the window. */
function insert(seen: number[], bucket: number, oldest: number): void {
  let at = seen.length;
  while (at > 0 && (seen[at - 1] ?? 0) > bucket) at--;
  if (at > 0 && seen[at - 1] === bucket) return;
  seen.splice(at, 0, bucket);
  let gone = 0;
  while ((seen[gone] ?? Infinity) <= oldest) gone++;
  if (gone > 0) seen.splice(0, gone);
}

function leastRecent(values: Map<number, number[]>): number {
  let least = -1;
  let leastBucket = Infinity;
  for (const [hash, seen] of values) {
    const bucket = newestOf(seen);
    if (bucket < leastBucket || (bucket === leastBucket && hash < least)) {
      least = hash;
      leastBucket = bucket;
    }
  }
  return least;
}
