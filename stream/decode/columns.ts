/** What sort of JSON value a property has. `absent` is 0, so that fresh columns say it. */
export const ValueKind = {
  absent: 0,
  number: 1,
  text: 2,
  true: 3,
  false: 4,
  null: 5,
  list: 6,
  object: 7,
} as const;

/**
 * Values of a batch's properties, read in place: a row a record, a column a property that the workspace reads or
 * declares. Numbers are parsed, texts are where they stand in the record's bytes.
 */
export interface Columns {
  readonly width: number;
  /** All at `row * width + column`. */
  readonly kinds: Uint8Array;
  readonly numbers: Float64Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
}

export const makeColumns = (rows: number, width: number): Columns => ({
  width,
  kinds: new Uint8Array(rows * width),
  numbers: new Float64Array(rows * width),
  from: new Int32Array(rows * width),
  to: new Int32Array(rows * width),
});

/** Columns of so many rows in which nothing stands, in the memory of these if it is enough. */
export function clearedColumns(columns: Columns, rows: number): Columns {
  const { kinds, width } = columns;
  if (kinds.length < rows * width) return makeColumns(rows, width);
  kinds.fill(ValueKind.absent, 0, rows * width);
  return columns;
}
