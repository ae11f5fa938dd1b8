import type { Examples } from './examples.ts';
import { countOf } from './examples.ts';

export interface EncodingOptions {
  /** Bins of one input at most: of equally many rows, or one a value where it has fewer. */
  readonly bins: number;
  /** Pairs or triples of inputs, by name, whose bins are looked at together. */
  readonly crosses: readonly (readonly string[])[];
  /** All crosses share 2^hashBits weights. */
  readonly hashBits: number;
}

/**
 * How a row of numbers becomes the coordinates of a linear model: each input standardised (one coordinate with its
 * value), the bin that it falls into (one coordinate with 1), and for each cross the combination of bins, hashed
 * (Weinberger et al. 2009, "Feature hashing for large scale multitask learning"). All numbers are float32, so that the
 * ONNX graph sees the same bins.
 */
export interface Encoding {
  readonly inputs: readonly string[];
  readonly mean: Float32Array;
  /** 1 / standard deviation; 0 for an input that never varies. */
  readonly inverse: Float32Array;
  /** Rising thresholds of each input: bin = how many of them the value reaches. */
  readonly edges: readonly Float32Array[];
  /** Where the bins of each input begin among the coordinates. */
  readonly offsets: readonly number[];
  /** Inputs of each cross, by index. */
  readonly crosses: readonly (readonly number[])[];
  readonly hashBits: number;
  /** Where hashed coordinates begin; all in all. */
  readonly hashed: number;
  readonly size: number;
}

/** Of one cross: the exported file has a weight for each. */
export const mostCombinations = 2 ** 18;

/** Standardised values are cut here, so that one wild number can't decide alone. */
export const valueLimit = 8;

export function makeEncoding(examples: Examples, options: EncodingOptions): Encoding {
  const { inputs } = examples;
  const width = inputs.length;
  const columns = inputs.map((_, column) => columnOf(examples, column));
  const spread = columns.map(standardised);
  const edges = columns.map((column) => edgesOf(column, options.bins));
  const offsets: number[] = [];
  let size = width;
  for (const some of edges) {
    offsets.push(size);
    size += some.length + 1;
  }
  const crosses = options.crosses.map((names) =>
    names.map((name) => {
      const index = inputs.indexOf(name);
      if (index < 0) throw new RangeError(`a cross names "${name}", which is no input`);
      return index;
    }),
  );
  for (const [index, cross] of crosses.entries())
    if (combinationsOf({ edges }, cross) > mostCombinations)
      throw new RangeError(
        `the cross of ${options.crosses[index]?.join(' and ')} has more than ${mostCombinations} combinations: take fewer bins`,
      );
  return {
    inputs,
    mean: Float32Array.from(spread, ({ mean }) => mean),
    inverse: Float32Array.from(spread, ({ inverse }) => inverse),
    edges,
    offsets,
    crosses,
    hashBits: options.hashBits,
    hashed: size,
    size: size + (crosses.length > 0 ? 2 ** options.hashBits : 0),
  };
}

/** How many of the rising `edges` the value reaches. */
export function binOf(edges: Float32Array, value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value >= (edges[middle] ?? 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The coordinate of a cross's combination of bins; `combination` counts them in the order of the cross's inputs. */
export function crossCoordinate(encoding: Encoding, cross: number, combination: number): number {
  let hash = Math.imul(combination + 1, 0x9e3779b1) ^ Math.imul(cross + 1, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  hash ^= hash >>> 15;
  return encoding.hashed + ((hash >>> 0) & (2 ** encoding.hashBits - 1));
}

/** How many combinations of bins a cross has. */
export const combinationsOf = ({ edges }: Pick<Encoding, 'edges'>, cross: readonly number[]): number =>
  cross.reduce((product, input) => product * ((edges[input]?.length ?? 0) + 1), 1);

/** Coordinates with the value 1 in each row: a bin of each input, then one of each cross. */
export const activeOf = ({ inputs, crosses }: Encoding): number => inputs.length + crosses.length;

/** Writes a row's standardised values to `values` and its coordinates with the value 1 to `active`. */
export function encodeRow(
  encoding: Encoding,
  row: Float32Array,
  values: Float32Array,
  active: Int32Array,
): void {
  const { mean, inverse, edges, offsets, crosses } = encoding;
  const width = row.length;
  for (let input = 0; input < width; input++) {
    const value = row[input] ?? 0;
    const centred = Math.fround(value - (mean[input] ?? 0));
    const scaled = Math.fround(centred * (inverse[input] ?? 0));
    values[input] = Math.min(valueLimit, Math.max(-valueLimit, scaled));
    active[input] = (offsets[input] ?? 0) + binOf(edges[input] as Float32Array, value);
  }
  for (let cross = 0; cross < crosses.length; cross++) {
    let combination = 0;
    for (const input of crosses[cross] ?? [])
      combination =
        combination * ((edges[input]?.length ?? 0) + 1) + ((active[input] ?? 0) - (offsets[input] ?? 0));
    active[width + cross] = crossCoordinate(encoding, cross, combination);
  }
}

function columnOf(examples: Examples, column: number): Float32Array {
  const width = examples.inputs.length;
  const values = new Float32Array(countOf(examples));
  for (let row = 0; row < values.length; row++) values[row] = examples.values[row * width + column] ?? 0;
  return values;
}

function standardised(column: Float32Array): { mean: number; inverse: number } {
  let sum = 0;
  for (const value of column) sum += value;
  const mean = column.length === 0 ? 0 : sum / column.length;
  let squares = 0;
  for (const value of column) squares += (value - mean) ** 2;
  const deviation = column.length === 0 ? 0 : Math.sqrt(squares / column.length);
  return { mean, inverse: deviation > 1e-9 ? 1 / deviation : 0 };
}

/**
 * Thresholds that part the rows evenly; each is a value that occurs, and the least value is none. A value that more
 * than an even share of the rows has gets a bin of its own, so that the rest is still told apart.
 */
function edgesOf(column: Float32Array, bins: number): Float32Array {
  const sorted = column.slice().sort();
  const edges = new Set<number>();
  const rest: number[] = [];
  let heavy = 0;
  let distinct = 0;
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    const value = sorted[from] ?? 0;
    while (to < sorted.length && sorted[to] === value) to++;
    distinct++;
    if ((to - from) * bins <= sorted.length) {
      for (let row = from; row < to; row++) rest.push(value);
      continue;
    }
    heavy++;
    edges.add(value);
    if (to < sorted.length) edges.add(sorted[to] ?? 0);
  }
  if (distinct <= bins) for (const value of sorted) edges.add(value);
  else {
    const parts = Math.max(1, bins - heavy);
    for (let part = 0; part < parts; part++) edges.add(rest[Math.floor((part * rest.length) / parts)] ?? 0);
  }
  edges.delete(sorted[0] ?? 0);
  return Float32Array.from(edges).sort();
}
