import onnxProto from 'onnx-proto';
import type { ColumnPlan } from '../contrasts.ts';
import { addColumns } from './contrasts.ts';
import { Graph, matrix } from './graph.ts';

const { onnx } = onnxProto;

/**
 * A forest as onnxmltools writes it, with contrasts before it and one output `probability` [rows, 1] behind: of a
 * classifier the second class, of a ranker the sigmoid of its score. Throws RangeError for a graph of another shape.
 */
export function treesOnnx(
  forest: Uint8Array,
  inputs: readonly string[],
  plan: ColumnPlan,
  name: string,
): Uint8Array {
  const model = onnx.ModelProto.decode(forest);
  const old = model.graph;
  const input = old?.input?.[0]?.name;
  const outputs = (old?.output ?? []).flatMap((output) => (output.name ? [output.name] : []));
  if (!old || !input) throw new RangeError('the forest has no input');
  const graph = new Graph();
  const columns = addColumns(graph, inputs, plan, 'rows');
  graph.constants.push(...((old.initializer ?? []) as typeof graph.constants));
  for (const node of old.node ?? []) {
    node.input = (node.input ?? []).map((from) => (from === input ? columns : from));
    graph.nodes.push(node as (typeof graph.nodes)[number]);
  }
  if (outputs.includes('probabilities')) {
    graph.add('Gather', ['probabilities', graph.int64('second_class', [1], [1])], 'probability', { axis: 1 });
  } else if (outputs.length === 1 && outputs[0] !== undefined) {
    graph.add('Sigmoid', [outputs[0]], 'probability');
  } else throw new RangeError(`the forest gives ${outputs.join(', ')}, which is not understood`);
  model.graph = onnx.GraphProto.create({
    name,
    input: [matrix('rows', inputs.length)],
    output: [matrix('probability', 1)],
    initializer: graph.constants,
    node: graph.nodes,
  });
  model.producerName = 'presage train';
  // A set in Python, in another order each time: the same forest shall be the same bytes.
  model.opsetImport = (model.opsetImport ?? []).sort((a, b) =>
    (a.domain ?? '') < (b.domain ?? '') ? -1 : 1,
  );
  return onnx.ModelProto.encode(model).finish();
}
