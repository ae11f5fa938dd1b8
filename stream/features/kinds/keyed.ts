import type { CompiledFeature } from '../../../workspace/index.ts';
import {
  readCount,
  readSigned,
  readText,
  unreadable,
  writeSigned,
  writeText,
  writeVarint,
} from '../parts/bytes.ts';
import { powerOf } from '../parts/decimal.ts';
import {
  bucketOf,
  endAt,
  indexAfter,
  mergeRing,
  placeOf,
  type Ring,
  readRing,
  ringInWords,
  writeRing,
} from '../parts/ring.ts';
import { compareText } from '../parts/text.ts';
import { moreThan } from '../sql/port.ts';
import { baseTime, type Subject } from '../subject.ts';
import type { Kind } from './kind.ts';
import type { Measure } from './measure.ts';

/**
 * A measure for each value of the `by` property: the value is a map of the keys that saw an event in the window.
 * At most `keys` keys are kept, those with the newest events (ties: the greater key). Which keys are kept depends on
 * the set of events only. Their values are exact as long as no window's length of event time holds events of more
 * than `keys` keys; beyond that a key that was evicted and comes back begins anew.
 */
export interface KeyedRings {
  /** Newest bucket of any key. */
  head: number;
  readonly entries: Map<string, Entry>;
}

interface Entry {
  /** Event time of the key's newest event: decides who is evicted. */
  last: number;
  readonly ring: Ring;
}

export function keyed(feature: CompiledFeature, { cell, reads, sql }: Measure): Kind<KeyedRings> {
  const { bucketMs, buckets, scale, keys } = feature;
  const stride = cell.blank.length + 1;
  const oldestOf = (slot: KeyedRings, subject: Subject): number =>
    Math.max(slot.head, bucketOf(subject.newest, bucketMs)) - buckets;
  const alive = (slot: KeyedRings, oldest: number): [string, Entry][] =>
    [...slot.entries]
      .filter(([, entry]) => bucketOf(entry.last, bucketMs) > oldest)
      .sort(([a], [b]) => compareText(a, b));

  /** The key's entry with its newest event time brought up to `time`; null if it has no place among the newest. */
  function entryOf(slot: KeyedRings, key: string, time: number): Entry | null {
    const known = slot.entries.get(key);
    if (known !== undefined) {
      if (time > known.last) known.last = time;
      return known;
    }
    const entry: Entry = { last: time, ring: [] };
    slot.entries.set(key, entry);
    if (slot.entries.size <= keys) return entry;
    // Keys that have left the window are the least recent of all, so they go first.
    const least = leastRecent(slot.entries);
    slot.entries.delete(least);
    return least === key ? null : entry;
  }

  return {
    reads,
    sql: {
      bound: null,
      value({ inWindow, value, key }) {
        const maps = sql.aggregates.map(
          ({ name, of }) => `${name}MapIf(map(${key}, ${of(value)}), ${inWindow})`,
        );
        const names = maps.map((_, index) => `x${index}`);
        const each = `(${names.join(', ')}) -> ${sql.value(names, `${powerOf(scale)}`)}`;
        return `mapFromArrays(mapKeys(${maps[0]}), arrayMap(${each}, ${maps.map((map) => `mapValues(${map})`).join(', ')}))`;
      },
      beyond: ({ matches, bucket, key }) => moreThan(keys, matches, bucket, key, buckets),
    },
    empty: () => ({ head: -Infinity, entries: new Map() }),
    update(slot, seen, subject) {
      const bucket = bucketOf(seen.time, bucketMs);
      const oldest = oldestOf(slot, subject);
      if (bucket <= oldest) return;
      if (bucket > slot.head) slot.head = bucket;
      const entry = entryOf(slot, seen.key, seen.time);
      if (entry !== null) cell.add(entry.ring, placeOf(entry.ring, cell, bucket, oldest) + 1, seen.number);
    },
    read(slot, at, subject) {
      const newest = bucketOf(at, bucketMs);
      const oldest = Math.max(newest - buckets, oldestOf(slot, subject));
      const values: [string, number][] = [];
      for (const [key, { ring }] of alive(slot, oldest)) {
        const from = indexAfter(ring, stride, oldest);
        const to = endAt(ring, stride, newest);
        const value = from < to ? cell.value(ring, from + 1, to, stride, scale) : null;
        if (value !== null) values.push([key, value]);
      }
      return Object.fromEntries(values);
    },
    encode(slot, writer, subject) {
      const oldest = oldestOf(slot, subject);
      const entries = alive(slot, oldest);
      if (entries.length === 0) return;
      const base = baseTime(subject.newest);
      writeVarint(writer, entries.length);
      for (const [key, { last, ring }] of entries) {
        writeText(writer, key);
        writeSigned(writer, base - last);
        writeRing(writer, cell, ring, oldest, bucketOf(base, bucketMs));
      }
    },
    decode(reader, subject) {
      const base = baseTime(subject.newest);
      const slot: KeyedRings = { head: -Infinity, entries: new Map() };
      for (let left = readCount(reader, 3); left > 0; left--) {
        const key = readText(reader);
        const last = base - readSigned(reader);
        if (slot.entries.has(key)) unreadable('a key is there twice', reader.at);
        slot.entries.set(key, { last, ring: readRing(reader, cell, bucketOf(base, bucketMs)) });
        slot.head = Math.max(slot.head, bucketOf(last, bucketMs));
      }
      return slot;
    },
    words: ({ entries }) =>
      `${entries.size} of at most ${keys} keys${[...entries].map(([key, { ring }]) => `; ${JSON.stringify(key)}: ${ringInWords(ring, stride, bucketMs, buckets)}`).join('')}`,
    merge(into, from, subject) {
      into.head = Math.max(into.head, from.head);
      const oldest = oldestOf(into, subject);
      for (const [key, { last, ring }] of alive(from, oldest)) {
        const entry = entryOf(into, key, last);
        if (entry !== null) mergeRing(entry.ring, ring, cell);
      }
    },
  };
}

function leastRecent(entries: Map<string, Entry>): string {
  let least = '';
  let leastTime = Infinity;
  for (const [key, { last }] of entries) {
    if (last < leastTime || (last === leastTime && compareText(key, least) < 0)) {
      least = key;
      leastTime = last;
    }
  }
  return least;
}
