import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { messageOf, PresageError } from '../core/index.ts';
import type { CompiledModel } from '../workspace/index.ts';
import { forbiddenIn } from './inspect.ts';
import { type ProbabilityOutput, readInput, readOutput } from './onnx-shape.ts';
import type { Runtime, RuntimeOutput } from './runtime.ts';

/** A loaded ONNX graph that scores blocks of exactly `model.block` rows. */
export interface OnnxModel {
  /**
   * Probabilities of `block` rows, row-major [block, inputs]. `block` is only read.
   * Throws PresageError `scorer_failed` when the graph fails or its answer has another shape than before.
   */
  run(block: Float32Array): Promise<Float32Array>;
  release(): Promise<void>;
}

/** Opens a model's bytes, once. Throws PresageError `model_unusable` with what is wrong and what to do. */
export async function openModel<R extends Runtime>(
  model: CompiledModel,
  bytes: Uint8Array,
  open: (bytes: Uint8Array) => Promise<R>,
): Promise<OnnxModel & { readonly runtime: R }> {
  let runtime: R;
  try {
    runtime = await open(bytes);
  } catch (cause) {
    throw unusable(
      model,
      `is not an ONNX model that can be loaded (${firstLine(messageOf(cause))}). Export it again, in one file.`,
      cause,
    );
  }
  try {
    return { ...withShapes(model, runtime), runtime };
  } catch (error) {
    await runtime.release();
    throw error;
  }
}

function withShapes(model: CompiledModel, runtime: Runtime): OnnxModel {
  const refuse = (problem: string): PresageError => unusable(model, problem);
  const width = model.inputs.length;
  const input = readInput(runtime.inputs, model, refuse);
  const output = readOutput(runtime.outputs, refuse);
  return {
    async run(block) {
      let value: RuntimeOutput | undefined;
      try {
        value = await runtime.run(input, block, [model.block, width], output.name);
      } catch (cause) {
        throw failed(model, `the ONNX runtime stopped with: ${firstLine(messageOf(cause))}`, { cause });
      }
      return probabilitiesOf(value, output, model);
    },
    release: () => runtime.release(),
  };
}

/** Shapes can be left open in the file, so each answer is looked at before it is believed. */
function probabilitiesOf(
  value: RuntimeOutput | undefined,
  output: ProbabilityOutput,
  model: CompiledModel,
): Float32Array {
  const data = value?.data;
  const expected = model.block * output.columns;
  if (data == null || data.length !== expected) {
    const found = value === undefined ? 'nothing' : `${value.type} [${value.dims.join(', ')}]`;
    throw failed(model, `expected ${expected} float32 in output "${output.name}" but found ${found}`);
  }
  if (output.columns === 1) return data;
  const ofClassOne = new Float32Array(model.block);
  for (let row = 0; row < model.block; row++) ofClassOne[row] = data[row * 2 + 1] ?? Number.NaN;
  return ofClassOne;
}

/** The bytes are read once and checked, so that what runs is what the workspace's hash and each record say. */
export async function readModel(model: CompiledModel): Promise<Uint8Array> {
  let bytes: Buffer;
  try {
    bytes = await readFile(model.path);
  } catch (cause) {
    throw unusable(model, `cannot be read (${messageOf(cause)}).`, cause);
  }
  if (bytes.length === 0) throw unusable(model, 'is empty. Export it again.');
  if (createHash('sha256').update(bytes).digest('hex') !== model.sha256) {
    throw unusable(model, 'has changed since the workspace was read. Start again to use the new file.');
  }
  const forbidden = forbiddenIn(bytes);
  if (forbidden !== null) throw unusable(model, `${forbidden}.`);
  return bytes;
}

/** A model that must not be used; `problem` continues the sentence "Model X (path) ...". */
export function unusable(model: CompiledModel, problem: string, cause?: unknown): PresageError {
  return new PresageError('model_unusable', `Model "${model.id}" (${model.path}) ${problem}`, {
    cause,
    details: { model: model.id, path: model.path },
  });
}

/** A call that gave no usable probabilities; `row` is the one to blame, where it is one. Rules decide instead. */
export function failed(
  model: CompiledModel,
  problem: string,
  options: { readonly cause?: unknown; readonly row?: number } = {},
): PresageError {
  const { cause, row } = options;
  return new PresageError('scorer_failed', `Model "${model.id}" gave no usable scores: ${problem}.`, {
    cause,
    details: { model: model.id, ...(row === undefined ? {} : { row }) },
  });
}

const firstLine = (text: string): string => (text.split('\n')[0] ?? '').replace(/[.\s]+$/, '');
