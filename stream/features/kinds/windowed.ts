import type { CompiledFeature } from '../../../workspace/index.ts';
import { powerOf } from '../parts/decimal.ts';
import { bucketOf, endAt, indexAfter, type Ring, readRing, ringInWords } from '../parts/ring.ts';
import type { Tables } from '../parts/table.ts';
import { baseTime } from '../subject.ts';
import type { Kind } from './kind.ts';
import type { Measure } from './measure.ts';

/**
 * A measure over a rolling window. Its cells stand in a table that it shares with other features of the same buckets
 * (parts/table.ts), so the slot is empty.
 */
export function windowed(
  feature: CompiledFeature,
  { cell, reads, ofNothing, sql }: Measure,
  tables: Tables,
): Kind<null> {
  const { bucketMs, buckets, scale, types } = feature;
  const readsSystemEvents = types !== null && [...types].some((type) => type.startsWith('$'));
  const table = tables.tableFor(bucketMs, buckets, readsSystemEvents);
  const place = table.add(cell);
  const column = place.at;
  const { blank } = cell;
  /** No event of this feature was in the bucket, only of others. */
  const isBlank = (rows: Ring, at: number): boolean => {
    for (let i = 0; i < blank.length; i++) if (rows[at + i] !== blank[i]) return false;
    return true;
  };
  return {
    reads,
    column: place,
    sql: {
      bound: null,
      value: ({ inWindow, value }) => {
        const results = sql.aggregates.map(({ name, of }) => `${name}If(${of(value)}, ${inWindow})`);
        const nothing = ofNothing === null ? 'NULL' : `toFloat64(${ofNothing})`;
        return `if(countIf(${inWindow}) = 0, ${nothing}, ${sql.value(results, `${powerOf(scale)}`)})`;
      },
    },
    empty: () => null,
    update(_, seen, subject) {
      const rows = table.of(subject);
      const bucket = Math.floor(seen.time / bucketMs);
      const last = rows.length - table.stride;
      // Nearly every event is of the newest bucket, whose row the first feature of the table has made.
      if (last >= 0 && rows[last] === bucket) {
        cell.add(rows, last + column, seen.number);
        return;
      }
      const oldest = table.oldestOf(rows, subject.newest);
      if (bucket > oldest) cell.add(rows, table.rowOf(rows, bucket, oldest) + column, seen.number);
    },
    read(_, at, subject) {
      const rows = table.of(subject);
      const { stride } = table;
      const newest = bucketOf(at, bucketMs);
      const oldest = Math.max(newest - buckets, table.oldestOf(rows, subject.newest));
      const from = indexAfter(rows, stride, oldest);
      const to = endAt(rows, stride, newest);
      return cell.value(rows, from + column, to, stride, scale) ?? ofNothing;
    },
    // It is in the table, which has a part of the blob of its own.
    encode() {},
    /** As blobs had it before version 4. */
    decode(reader, subject) {
      const ring = readRing(reader, cell, bucketOf(baseTime(subject.newest), bucketMs));
      const rows = table.of(subject);
      for (let at = 0; at < ring.length; at += blank.length + 1) {
        const into = table.rowOf(rows, ring[at] as number, -Infinity) + column;
        for (let i = 0; i < blank.length; i++) rows[into + i] = ring[at + 1 + i] as number;
      }
      return null;
    },
    merge(_, __, subject, source) {
      const rows = table.of(subject);
      const from = table.of(source);
      for (let at = 0; at < from.length; at += table.stride) {
        if (isBlank(from, at + column)) continue;
        const into = table.rowOf(rows, from[at] as number, -Infinity);
        cell.combine(rows, into + column, from, at + column);
      }
    },
    words(_, subject) {
      const rows = table.of(subject);
      const used: number[] = [];
      for (let at = 0; at < rows.length; at += table.stride)
        if (!isBlank(rows, at + column)) used.push(rows[at] as number);
      return ringInWords(used, 1, bucketMs, buckets);
    },
  };
}
