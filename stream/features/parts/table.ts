import type { Subject } from '../subject.ts';
import { bucketOf, type Cell, lastBucket, placeOf, type Ring } from './ring.ts';

/** A feature's place in the rows of a table. */
export interface Column {
  readonly table: Table;
  readonly cell: Cell;
  /** Where its cell begins in a row. */
  readonly at: number;
}

/** A row's columns are told by the bits of a number when it is stored, of which 28 fit in four bytes. */
export const mostColumns = 28;

/**
 * Rings of several features with the same buckets, kept as one: a row a bucket, `[bucket, ...cells, bucket, ...]`. An
 * event then finds its row once for all of them, and a subject with 20 features over four windows has four arrays and
 * not twenty (measured on W1: 16.4 -> 14.6 CPU-s per million events in the worker).
 */
export class Table {
  /** Its place in `Subject.tables`. */
  readonly index: number;
  readonly bucketMs: number;
  readonly buckets: number;
  readonly columns: Column[] = [];
  /** A row's numbers behind its bucket before any event, and the bit of the column that each is of. */
  readonly blank: number[] = [];
  readonly bits: number[] = [];
  /** Numbers of a row, its bucket included. Known when all features have their place. */
  stride = 1;

  constructor(index: number, bucketMs: number, buckets: number) {
    this.index = index;
    this.bucketMs = bucketMs;
    this.buckets = buckets;
  }

  add(cell: Cell): Column {
    const column = { table: this, cell, at: this.stride };
    for (const value of cell.blank) {
      this.blank.push(value);
      this.bits.push(1 << this.columns.length);
    }
    this.columns.push(column);
    this.stride += cell.blank.length;
    return column;
  }

  get isFull(): boolean {
    return this.columns.length >= mostColumns;
  }

  of(subject: Subject): Ring {
    return subject.tables[this.index] ?? this.#make(subject);
  }

  /** As `placeOf` (parts/ring.ts): the bucket's row, made if absent. */
  rowOf(rows: Ring, bucket: number, oldest: number): number {
    return placeOf(rows, this, bucket, oldest);
  }

  /** The newest bucket that is out. A feature that reads system events can be ahead of the subject's newest event. */
  oldestOf(rows: Ring, newest: number): number {
    return Math.max(bucketOf(newest, this.bucketMs), lastBucket(rows, this.stride)) - this.buckets;
  }

  #make({ tables }: Subject): Ring {
    while (tables.length <= this.index) {
      // An array that begins with a double stays one of doubles: all tables then have one and the same shape.
      const rows: Ring = [0.5];
      rows.length = 0;
      tables.push(rows);
    }
    return tables[this.index] as Ring;
  }
}

/** Gives features their place: those with equal buckets share a table. */
export class Tables {
  readonly all: Table[] = [];
  readonly #shared = new Map<string, Table>();

  /**
   * A feature of system events can be ahead of the subject's newest ordinary event, and what is out of its window with
   * it, so it has a table of its own.
   */
  tableFor(bucketMs: number, buckets: number, readsSystemEvents: boolean): Table {
    const name = `${bucketMs}x${buckets}`;
    const shared = readsSystemEvents ? undefined : this.#shared.get(name);
    if (shared !== undefined && !shared.isFull) return shared;
    const table = new Table(this.all.length, bucketMs, buckets);
    this.all.push(table);
    if (!readsSystemEvents) this.#shared.set(name, table);
    return table;
  }
}
