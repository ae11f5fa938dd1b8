import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ColumnPlan,
  columnsOf,
  countOf,
  type Examples,
  listSizes,
  treesOnnx,
} from '../../training/index.ts';
import type { PythonTrainer } from './python/environment.ts';

export interface LightgbmOptions {
  /** Boosting rounds. */
  readonly rounds: number;
  /** LightGBM's own parameters; `objective` is lambdarank for lists and binary for rows, unless stated. */
  readonly parameters: Readonly<Record<string, number | string | boolean>>;
  readonly seed: number;
}

/** Small on purpose: few thousand labels are usual. */
export const lightgbmDefaults: LightgbmOptions = {
  rounds: 150,
  parameters: {
    num_leaves: 15,
    learning_rate: 0.05,
    min_data_in_leaf: 50,
    feature_fraction: 0.8,
    bagging_fraction: 0.8,
    bagging_freq: 1,
    lambda_l2: 1,
  },
  seed: 1,
};

export interface Forest {
  /** float32 `rows` [rows, inputs] -> `probability` [rows, 1]. */
  readonly file: Uint8Array;
  /** LightGBM's own scores before the sigmoid: of the examples, then of each of the others. */
  readonly scores: readonly Float64Array[];
  /** The trainer and its version. */
  readonly by: string;
}

/** Fits LightGBM, whose forest onnxmltools converts. Throws PresageError `training_failed` with what Python said. */
export async function fitLightgbm(
  python: PythonTrainer,
  examples: Examples,
  plan: ColumnPlan,
  { rounds, parameters, seed }: LightgbmOptions,
  name: string,
  others: readonly Examples[] = [],
): Promise<Forest> {
  const columns = [examples, ...others].map((some) => columnsOf(some, plan));
  const width = columns[0]?.inputs.length ?? 0;
  const folder = await mkdtemp(join(tmpdir(), 'presage-lightgbm-'));
  try {
    const sizes = listSizes(examples);
    const objective = sizes === null ? 'binary' : 'lambdarank';
    await Promise.all([
      writeFile(join(folder, 'values.f32'), Buffer.concat(columns.map(({ values }) => bytesOf(values)))),
      writeFile(join(folder, 'labels.u8'), examples.labels),
      ...(sizes === null ? [] : [writeFile(join(folder, 'lists.i32'), bytesOf(sizes))]),
      writeFile(
        join(folder, 'job.json'),
        JSON.stringify({
          width,
          fitted: countOf(examples),
          hasLists: sizes !== null,
          rounds,
          parameters: { objective, num_threads: 1, ...parameters, seed },
        }),
      ),
    ]);
    await python.run(folder);
    const [forest, scores, versions] = await Promise.all([
      readFile(join(folder, 'model.onnx')),
      readFile(join(folder, 'predictions.f64')),
      readFile(join(folder, 'versions.json'), 'utf8'),
    ]);
    const { lightgbm, onnxmltools } = JSON.parse(versions) as Record<string, string>;
    return {
      file: treesOnnx(forest, examples.inputs, plan, name),
      scores: partsOf(scores, columns.map(countOf)),
      by: `LightGBM ${lightgbm}, onnxmltools ${onnxmltools}`,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function partsOf(scores: Uint8Array, counts: readonly number[]): Float64Array[] {
  const all = new Float64Array(new Uint8Array(scores).buffer);
  let from = 0;
  return counts.map((count) => {
    from += count;
    return all.slice(from - count, from);
  });
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
