import type { CompiledFeature } from '../../../workspace/index.ts';
import { readText, writeText } from '../parts/bytes.ts';
import {
  insertNewest,
  makeNewest,
  mergeNewest,
  type Newest,
  newestAt,
  newestInWords,
  readNewest,
  spare,
  writeNewest,
} from '../parts/newest.ts';
import { baseTime } from '../subject.ts';
import type { Kind } from './kind.ts';

/**
 * The property of the newest n events by (event time, event id) that have it, newest first, as texts; empty of
 * nothing. A few older ones are kept for decisions that come late: read at a time before the newest k events, k above
 * that, it is shorter by k - spare rather than filled with values of the future.
 */
export function lastN({ n }: CompiledFeature): Kind<Newest> {
  const keep = n + spare;
  return {
    reads: 'text',
    sql: {
      bound: null,
      value({ matches, isFirst, value, before }) {
        const counts = `${matches} AND ${isFirst} AND time <= at`;
        const newest = before(`groupArraySortedIf(${n})(-time, ${counts})`);
        const later = `countIf(${matches} AND ${isFirst} AND time > at)`;
        const list = `groupArrayIf((time, id, ${value}), ${counts} AND has(${newest}, -time))`;
        return `arraySlice(arrayMap(x -> x.3, arrayReverseSort(x -> (x.1, x.2), ${list})), 1, toUInt64(greatest(0, least(${n}, ${keep} - toInt64(${later})))))`;
      },
    },
    empty: makeNewest,
    update: (list, seen) => insertNewest(list, keep, seen.time, seen.id, seen.text),
    read(list, at) {
      const from = newestAt(list, at);
      return list.values.slice(from, from + n).map(String);
    },
    encode(list, writer, subject) {
      if (list.times.length === 0) return;
      writeNewest(writer, list, baseTime(subject.newest), (value) => writeText(writer, String(value)));
    },
    decode: (reader, subject) => readNewest(reader, baseTime(subject.newest), () => readText(reader)),
    words: (list) => newestInWords(list, keep),
    merge: (into, from) => mergeNewest(into, from, keep),
  };
}
