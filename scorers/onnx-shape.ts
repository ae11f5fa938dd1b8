import type { InferenceSession } from 'onnxruntime-node';
import type { PresageError } from '../core/index.ts';
import type { CompiledModel } from '../workspace/index.ts';

type Metadata = InferenceSession.ValueMetadata;
type TensorMetadata = Extract<Metadata, { isTensor: true }>;
type Refuse = (problem: string) => PresageError;

/** Where a graph answers: one probability per row, or two classes of which the second counts. */
export interface ProbabilityOutput {
  readonly name: string;
  readonly columns: 1 | 2;
}

/** The name of the graph's only input, which must take float32 [rows, inputs]. Throws what `refuse` makes. */
export function readInput(inputs: readonly Metadata[], model: CompiledModel, refuse: Refuse): string {
  const width = model.inputs.length;
  const expected = `one float32 input of shape [rows, ${width}] (the workspace lists ${width} inputs)`;
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0) {
    throw refuse(`has ${describeAll(inputs)}; expected ${expected}.`);
  }
  const [rows, columns] = shapeOf(input);
  const fits =
    input.isTensor && input.type === 'float32' && input.shape.length === 2 && isOpenOr(columns, width);
  if (!fits) throw refuse(`takes ${describe(input)}; expected ${expected}.`);
  if (!isOpenOr(rows, model.block)) {
    throw refuse(
      `takes exactly ${rows} rows a call, but its block is ${model.block}. Write "block: ${rows}" in the workspace, or export it with an open number of rows.`,
    );
  }
  return input.name;
}

/**
 * The output that holds the probability of class 1: `probabilities` [rows, 2] as scikit-learn's converters name it, or
 * the only float output with one number a row. Throws what `refuse` makes.
 */
export function readOutput(outputs: readonly Metadata[], refuse: Refuse): ProbabilityOutput {
  const expected =
    'expected "probabilities" as float32 [rows, 2], or a single float32 output of shape [rows] or [rows, 1]';
  const named = outputs.find((output) => output.name === 'probabilities');
  const floats = outputs.filter((output) => output.isTensor && output.type === 'float32');
  const output = named ?? (floats.length === 1 ? floats[0] : undefined);
  if (output !== undefined && !output.isTensor) {
    throw refuse(
      `gives ${describe(output)}; ${expected}. Export it with the option zipmap=False, so that it gives a tensor.`,
    );
  }
  if (output === undefined) throw refuse(`gives ${describeAll(outputs)}; ${expected}.`);
  const columns = columnsOf(output, output === named);
  if (columns === null) throw refuse(`gives ${describe(output)}; ${expected}.`);
  return { name: output.name, columns };
}

function columnsOf(output: TensorMetadata, isNamed: boolean): 1 | 2 | null {
  if (output.type !== 'float32') return null;
  const [, columns] = output.shape;
  // Converters may leave a shape out; what "probabilities" then is, is known by its name.
  if (output.shape.length === 0) return isNamed ? 2 : 1;
  if (output.shape.length === 1) return 1;
  if (output.shape.length !== 2) return null;
  if (columns === 1) return 1;
  if (columns === 2) return isNamed ? 2 : null;
  if (typeof columns === 'number') return null;
  return isNamed ? 2 : 1;
}

/** Open dimensions have a name or nothing at all. */
const isOpenOr = (dimension: unknown, size: number): boolean =>
  typeof dimension !== 'number' || dimension === size;

const shapeOf = (value: Metadata): readonly unknown[] => (value.isTensor ? value.shape : []);

function describe(value: Metadata): string {
  if (!value.isTensor) return `"${value.name}", which is not a tensor`;
  const shape = value.shape.map((dimension) => dimension || '?').join(', ');
  return `"${value.name}" ${value.type} [${shape}]`;
}

function describeAll(values: readonly Metadata[]): string {
  return values.length === 0 ? 'none' : values.map(describe).join(' and ');
}
