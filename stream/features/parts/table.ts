import type { Subject } from '../subject.ts';
import { type Cell, placeOf, type Ring } from './ring.ts';

/**
 * Rings of several features with the same buckets, kept as one: a row a bucket, `[bucket, ...cells, bucket, ...]`. An
 * event then finds its row once for all of them, and a subject with 20 features over four windows has four arrays and
 * not twenty (measured on W1: 16.4 -> 14.6 CPU-s per million events in the worker).
 */
export class Table {
  /** Its place in `Subject.tables`. */
  readonly index: number;
  readonly #row: { blank: number[] } = { blank: [] };
  /** Numbers of a row, its bucket included. Known when all features have their place. */
  stride = 1;

  constructor(index: number) {
    this.index = index;
  }

  /** Where a further feature's cell begins in a row. */
  add(cell: Cell): number {
    const column = this.stride;
    this.#row.blank.push(...cell.blank);
    this.stride += cell.blank.length;
    return column;
  }

  of(subject: Subject): Ring {
    return subject.tables[this.index] ?? this.#make(subject);
  }

  /** As `placeOf` (parts/ring.ts): the bucket's row, made if absent. */
  rowOf(rows: Ring, bucket: number, oldest: number): number {
    return placeOf(rows, this.#row, bucket, oldest);
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
  readonly #shared = new Map<string, Table>();
  #count = 0;

  /**
   * A feature of system events can be ahead of the subject's newest ordinary event, and what is out of its window with
   * it, so it has a table of its own.
   */
  tableFor(bucketMs: number, buckets: number, readsSystemEvents: boolean): Table {
    if (readsSystemEvents) return new Table(this.#count++);
    const name = `${bucketMs}x${buckets}`;
    let table = this.#shared.get(name);
    if (table === undefined) {
      table = new Table(this.#count++);
      this.#shared.set(name, table);
    }
    return table;
  }
}
