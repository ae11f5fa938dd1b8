/** Labelled rows, as a model is fitted on them. Row i is `values[i * width, (i + 1) * width)`. */
export interface Examples {
  /** Names of the columns, in the order of a row. */
  readonly inputs: readonly string[];
  /** Row-major [count, inputs], as scorers/row.ts writes it. */
  readonly values: Float32Array;
  /** 0 or 1, by row. */
  readonly labels: Uint8Array;
  /**
   * Which list a row is of, by row: rows of one list stand together, and exactly one of them is chosen. Absent: every
   * row is a question of its own.
   */
  readonly lists?: Int32Array;
}

export const countOf = (examples: Examples): number => examples.labels.length;

/** The rows from `from` to before `to`; nothing is copied. */
export function slice(examples: Examples, from: number, to: number): Examples {
  const width = examples.inputs.length;
  return {
    inputs: examples.inputs,
    values: examples.values.subarray(from * width, to * width),
    labels: examples.labels.subarray(from, to),
    ...(examples.lists === undefined ? {} : { lists: examples.lists.subarray(from, to) }),
  };
}

export const rowAt = (examples: Examples, row: number): Float32Array =>
  examples.values.subarray(row * examples.inputs.length, (row + 1) * examples.inputs.length);

export function positivesOf({ labels }: Pick<Examples, 'labels'>): number {
  let positives = 0;
  for (const label of labels) positives += label;
  return positives;
}

/** How many rows each list has, in their order; null where rows are no lists. */
export function listSizes({ lists }: Examples): Int32Array | null {
  if (lists === undefined) return null;
  const sizes: number[] = [];
  lists.forEach((list, row) => {
    if (row > 0 && list === lists[row - 1]) sizes.push((sizes.pop() ?? 0) + 1);
    else sizes.push(1);
  });
  return Int32Array.from(sizes);
}
