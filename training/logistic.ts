import { activeOf, type Encoding, type EncodingOptions, encodeRow, makeEncoding } from './encoding.ts';
import { countOf, type Examples } from './examples.ts';
import { Ftrl, type FtrlOptions } from './ftrl.ts';
import { randomFrom } from './random.ts';

export interface LogisticOptions extends EncodingOptions, FtrlOptions {
  /** How often all examples are gone through, each time in another order. */
  readonly epochs: number;
  readonly seed: number;
}

export const logisticDefaults: LogisticOptions = {
  bins: 32,
  crosses: [],
  hashBits: 14,
  alpha: 0.05,
  beta: 1,
  l1: 0.5,
  l2: 1,
  epochs: 5,
  seed: 1,
};

/** A fitted logistic regression. Weights are float32, as the ONNX file has them. */
export interface LogisticModel {
  readonly encoding: Encoding;
  /** By coordinate of the encoding. */
  readonly weights: Float32Array;
  readonly bias: number;
}

export const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/**
 * Fits by FTRL-Proximal on the log loss of each row; where examples are lists, on that of the softmax over each list
 * (the multinomial logit of McFadden 1974), so that what all rows of a list have in common explains nothing.
 * The same examples and options give the same model.
 */
export function fitLogistic(examples: Examples, options: LogisticOptions): LogisticModel {
  const encoding = makeEncoding(examples, options);
  const encoded = encodeAll(encoding, examples);
  const ftrl = new Ftrl(encoding.size + 1, options);
  const spans = spansOf(examples);
  const order = Int32Array.from(spans.starts, (_, index) => index);
  const random = randomFrom(options.seed);
  const logits = new Float64Array(Math.max(1, spans.longest));
  const step = makeStep(encoding, encoded, ftrl);
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    random.shuffle(order);
    for (const span of order) {
      const from = spans.starts[span] ?? 0;
      const to = spans.starts[span + 1] ?? countOf(examples);
      if (examples.lists === undefined) {
        step.learn(from, sigmoid(step.logit(from)) - (examples.labels[from] ?? 0));
        continue;
      }
      let highest = -Infinity;
      for (let row = from; row < to; row++) {
        const logit = step.logit(row);
        logits[row - from] = logit;
        if (logit > highest) highest = logit;
      }
      let sum = 0;
      for (let row = from; row < to; row++) {
        const share = Math.exp((logits[row - from] ?? 0) - highest);
        logits[row - from] = share;
        sum += share;
      }
      for (let row = from; row < to; row++)
        step.learn(row, (logits[row - from] ?? 0) / sum - (examples.labels[row] ?? 0));
    }
  }
  const weights = Float32Array.from(ftrl.weights());
  return { encoding, weights: weights.subarray(0, encoding.size), bias: weights[encoding.size] ?? 0 };
}

/** Log odds of one row. */
export function logitOf(model: LogisticModel, row: Float32Array): number {
  const { encoding, weights, bias } = model;
  const values = new Float32Array(encoding.inputs.length);
  const active = new Int32Array(activeOf(encoding));
  encodeRow(encoding, row, values, active);
  let logit = bias;
  for (let input = 0; input < values.length; input++) logit += (weights[input] ?? 0) * (values[input] ?? 0);
  for (const coordinate of active) logit += weights[coordinate] ?? 0;
  return logit;
}

/** Log odds of all rows. */
export function logitsOf(model: LogisticModel, examples: Examples): Float64Array {
  const width = examples.inputs.length;
  return Float64Array.from({ length: countOf(examples) }, (_, row) =>
    logitOf(model, examples.values.subarray(row * width, (row + 1) * width)),
  );
}

interface Encoded {
  readonly values: Float32Array;
  readonly active: Int32Array;
}

function encodeAll(encoding: Encoding, examples: Examples): Encoded {
  const width = encoding.inputs.length;
  const each = activeOf(encoding);
  const count = countOf(examples);
  const values = new Float32Array(count * width);
  const active = new Int32Array(count * each);
  for (let row = 0; row < count; row++) {
    encodeRow(
      encoding,
      examples.values.subarray(row * width, (row + 1) * width),
      values.subarray(row * width, (row + 1) * width),
      active.subarray(row * each, (row + 1) * each),
    );
  }
  return { values, active };
}

/** Where each question begins: a list, or a single row. */
function spansOf(examples: Examples): { readonly starts: Int32Array; readonly longest: number } {
  const { lists } = examples;
  const count = countOf(examples);
  if (lists === undefined) return { starts: Int32Array.from({ length: count }, (_, row) => row), longest: 1 };
  const starts: number[] = [];
  for (let row = 0; row < count; row++) if (row === 0 || lists[row] !== lists[row - 1]) starts.push(row);
  const longest = starts.reduce(
    (most, start, index) => Math.max(most, (starts[index + 1] ?? count) - start),
    0,
  );
  return { starts: Int32Array.from(starts), longest };
}

function makeStep(encoding: Encoding, { values, active }: Encoded, ftrl: Ftrl) {
  const width = encoding.inputs.length;
  const each = activeOf(encoding);
  const bias = encoding.size;
  return {
    logit(row: number): number {
      let logit = ftrl.weight(bias);
      for (let input = 0; input < width; input++)
        logit += ftrl.weight(input) * (values[row * width + input] ?? 0);
      for (let at = row * each; at < (row + 1) * each; at++) logit += ftrl.weight(active[at] ?? 0);
      return logit;
    },
    learn(row: number, error: number): void {
      ftrl.update(bias, error);
      for (let input = 0; input < width; input++)
        ftrl.update(input, error * (values[row * width + input] ?? 0));
      for (let at = row * each; at < (row + 1) * each; at++) ftrl.update(active[at] ?? 0, error);
    },
  };
}
