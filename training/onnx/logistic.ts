import type { ColumnPlan } from '../contrasts.ts';
import { combinationsOf, crossCoordinate, type Encoding, valueLimit } from '../encoding.ts';
import type { LogisticModel } from '../logistic.ts';
import { addColumns } from './contrasts.ts';
import { Graph } from './graph.ts';

/**
 * The ONNX file of a logistic regression: float32 `rows` [rows, inputs] -> `probability` [rows, 1]. Nothing is hashed
 * when it runs: for each cross the file has a table of all combinations of bins, in which the hash was looked up here.
 * A row's bins are counted thresholds, and a combination is their mixed-radix number, both whole numbers that float32
 * holds exactly.
 */
export function logisticOnnx(
  model: LogisticModel,
  inputs: readonly string[],
  plan: ColumnPlan,
  name: string,
): Uint8Array {
  const { encoding, weights, bias } = model;
  const width = encoding.inputs.length;
  const graph = new Graph();
  const columns = addColumns(graph, inputs, plan, 'rows');

  const centred = graph.add('Sub', [columns, graph.float('mean', [width], encoding.mean)], 'centred');
  const scaled = graph.add('Mul', [centred, graph.float('inverse', [width], encoding.inverse)], 'scaled');
  const values = graph.add(
    'Clip',
    [scaled, graph.float('low', [], [-valueLimit]), graph.float('high', [], [valueLimit])],
    'values',
  );
  const linear = graph.add(
    'Mul',
    [values, graph.float('weights', [width], weights.subarray(0, width))],
    'linear',
  );

  const bins = addBins(graph, encoding, columns);
  const { table, places, begins } = tableOf(model);
  const lookups = begins.length;
  const within = graph.add('MatMul', [bins, graph.float('places', [width, lookups], places)], 'within');
  const at = graph.add('Add', [within, graph.float('begins', [lookups], begins)], 'at');
  const found = graph.add(
    'Gather',
    [graph.float('table', [table.length], table), graph.add('Cast', [at], 'index', { to: 7 })],
    'found',
    { axis: 0 },
  );
  // Sums along each row by itself: a product with a column of weights would round a row by its place in the block.
  const terms = graph.add('Concat', [linear, found], 'terms', { axis: 1 });
  const sum = graph.add('ReduceSum', [terms, graph.int64('each_row', [1], [1])], 'sum', { keepdims: 1 });
  const logit = graph.add('Add', [sum, graph.float('bias', [1], [bias])], 'logit');
  return graph.file(name, inputs.length, graph.add('Sigmoid', [logit], 'probability'));
}

/** Bins [rows, inputs]: how many thresholds each value reaches; rows of thresholds are filled up with infinity. */
function addBins(graph: Graph, { inputs, edges }: Encoding, columns: string): string {
  const width = inputs.length;
  const most = Math.max(1, ...edges.map(({ length }) => length));
  const thresholds = new Float32Array(width * most).fill(Infinity);
  edges.forEach((some, input) => {
    thresholds.set(some, input * most);
  });
  const deep = graph.add('Unsqueeze', [columns, graph.int64('last_axis', [1], [2])], 'deep');
  const reached = graph.add(
    'GreaterOrEqual',
    [deep, graph.float('thresholds', [1, width, most], thresholds)],
    'reached',
  );
  const counted = graph.add('Cast', [reached], 'counted', { to: 1 });
  return graph.add('ReduceSum', [counted, 'last_axis'], 'bins', { keepdims: 0 });
}

/** One table for all bins and crosses: `begins[term] + bins x places[., term]` is a row's place in it. */
function tableOf({ encoding, weights }: LogisticModel) {
  const { inputs, edges, offsets, crosses } = encoding;
  const width = inputs.length;
  const terms = width + crosses.length;
  const places = new Float32Array(width * terms);
  const begins: number[] = [];
  const table: number[] = [];
  inputs.forEach((_, input) => {
    begins.push(table.length);
    places[input * terms + input] = 1;
    for (let bin = 0; bin <= (edges[input]?.length ?? 0); bin++)
      table.push(weights[(offsets[input] ?? 0) + bin] ?? 0);
  });
  crosses.forEach((cross, index) => {
    begins.push(table.length);
    let step = 1;
    for (const input of cross.toReversed()) {
      places[input * terms + width + index] = (places[input * terms + width + index] ?? 0) + step;
      step *= (edges[input]?.length ?? 0) + 1;
    }
    const combinations = combinationsOf(encoding, cross);
    for (let combination = 0; combination < combinations; combination++)
      table.push(weights[crossCoordinate(encoding, index, combination)] ?? 0);
  });
  return { table, places, begins };
}
