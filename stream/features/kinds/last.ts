import type { CompiledFeature } from '../../../workspace/index.ts';
import { readDouble, readText, writeDouble, writeText } from '../parts/bytes.ts';
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
 * The property of the newest event by (event time, event id) that has it; null of nothing. A few older ones are kept
 * for decisions that come late: read at a time before all of them, it is null rather than a value of the future.
 */
export function last(feature: CompiledFeature): Kind<Newest> {
  const isNumber = feature.propertyType === 'number';
  const keep = 1 + spare;
  return {
    sql: {
      bound: null,
      // The newest up to the decision, unless so many came after it that state no longer holds it.
      value: ({ matches, isFirst, value }) => {
        const counts = `${matches} AND ${isFirst}`;
        return `if(countIf(${counts} AND time > at) > ${spare} OR countIf(${counts} AND time <= at) = 0, NULL,
    argMaxIf(${value}, (time, id), ${counts} AND time <= at))`;
      },
    },
    reads: isNumber ? 'number' : 'text',
    empty: makeNewest,
    update: (list, seen) => insertNewest(list, keep, seen.time, seen.id, isNumber ? seen.number : seen.text),
    read: (list, at) => list.values[newestAt(list, at)] ?? null,
    encode(list, writer, subject) {
      if (list.times.length === 0) return;
      writeNewest(writer, list, baseTime(subject.newest), (value) =>
        isNumber ? writeDouble(writer, Number(value)) : writeText(writer, String(value)),
      );
    },
    decode: (reader, subject) =>
      readNewest(reader, baseTime(subject.newest), () => (isNumber ? readDouble(reader) : readText(reader))),
    words: (list) => newestInWords(list, keep),
    merge: (into, from) => mergeNewest(into, from, keep),
  };
}
