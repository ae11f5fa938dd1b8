import { baseTime, type Subject } from '../subject.ts';
import {
  mostVarintBytes,
  putSigned,
  putVarint,
  type Reader,
  readSigned,
  readVarint,
  reserve,
  unreadable,
  type Writer,
  writeByte,
} from './bytes.ts';
import { bucketOf, type Cell, type Ring } from './ring.ts';
import type { Column, Table } from './table.ts';

/**
 * A table in a blob: its rows, newest first, and a zero behind the last. A row: which columns saw an event, as bits;
 * its bucket's distance from the one before (the first one's from the newest event's bucket, with a sign, for only
 * system events can be ahead of that); the cells of these columns.
 */
export function writeTable(writer: Writer, table: Table, subject: Subject): void {
  const rows = subject.tables[table.index];
  if (rows === undefined || rows.length === 0) {
    writeByte(writer, 0);
    return;
  }
  const { stride, columns, blank, bits } = table;
  const oldest = table.oldestOf(rows, subject.newest);
  let previous = bucketOf(baseTime(subject.newest), table.bucketMs);
  let isFirst = true;
  for (let row = rows.length - stride; row >= 0; row -= stride) {
    const bucket = rows[row] as number;
    if (bucket <= oldest) break;
    let seen = 0;
    for (let i = 0; i < blank.length; i++) if (rows[row + 1 + i] !== blank[i]) seen |= bits[i] as number;
    if (seen === 0) continue;
    reserve(writer, 2 * mostVarintBytes);
    const { bytes } = writer;
    const at = putVarint(bytes, writer.length, seen);
    writer.length = isFirst
      ? putSigned(bytes, at, previous - bucket)
      : putVarint(bytes, at, previous - bucket - 1);
    isFirst = false;
    previous = bucket;
    for (let i = 0; seen !== 0; i++, seen >>>= 1) {
      if ((seen & 1) === 0) continue;
      const { cell, at: cellAt } = columns[i] as Column;
      reserve(writer, cell.mostBytes);
      writer.length = cell.put(writer.bytes, writer.length, rows, row + cellAt);
    }
  }
  writeByte(writer, 0);
}

/** A column of a stored table: how its cells are written, and where they go now; null: it is no longer declared. */
export interface StoredColumn {
  readonly cell: Cell;
  readonly column: Column | null;
}

/** Rows as they are read, newest first: `[bucket, ...]`, each stored column with all its numbers. */
const read: number[] = [0.5];

/** Reads a table of any layout into the subject's tables, which have nothing of these columns yet. */
export function readTable(reader: Reader, stored: readonly StoredColumn[], subject: Subject): void {
  read.length = 0;
  let stride = 1;
  for (const { cell } of stored) stride += cell.blank.length;
  const bucketMs = stored.find(({ column }) => column !== null)?.column?.table.bucketMs ?? 1;
  let bucket = bucketOf(baseTime(subject.newest), bucketMs);
  for (;;) {
    const seen = readVarint(reader);
    if (seen === 0) break;
    if (seen >= 2 ** stored.length) unreadable('a row has columns that its table has not', reader.at);
    bucket -= read.length === 0 ? readSigned(reader) : readVarint(reader) + 1;
    if (!Number.isSafeInteger(bucket)) unreadable('a bucket is out of range', reader.at);
    read.push(bucket);
    for (let i = 0; i < stored.length; i++) {
      const { cell } = stored[i] as StoredColumn;
      if (((seen >>> i) & 1) !== 0) cell.read(reader, read);
      else for (const value of cell.blank) read.push(value);
    }
  }
  for (let row = read.length - stride; row >= 0; row -= stride) place(row, stored, subject);
}

function place(row: number, stored: readonly StoredColumn[], subject: Subject): void {
  const bucket = read[row] as number;
  let rows: Ring = read;
  let into = -1;
  let table: Table | null = null;
  let from = row + 1;
  for (const { cell, column } of stored) {
    if (column !== null && !isBlank(cell, from)) {
      // Features that shared a table may have come apart since.
      if (column.table !== table) {
        table = column.table;
        rows = table.of(subject);
        into = table.rowOf(rows, bucket, -Infinity);
      }
      for (let i = 0; i < cell.blank.length; i++) rows[into + column.at + i] = read[from + i] as number;
    }
    from += cell.blank.length;
  }
}

function isBlank({ blank }: Cell, at: number): boolean {
  for (let i = 0; i < blank.length; i++) if (read[at + i] !== blank[i]) return false;
  return true;
}
