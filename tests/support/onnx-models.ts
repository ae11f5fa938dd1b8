import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import type { CompiledModel } from '../../workspace/index.ts';

const { onnx } = onnxProto;
const { DataType } = onnx.TensorProto;
const types = { float32: DataType.FLOAT, float64: DataType.DOUBLE, int64: DataType.INT64 } as const;

export interface TinyValue {
  readonly name: string;
  readonly type?: keyof typeof types;
  /** A string is an open dimension; leave the shape out to say nothing about it. */
  readonly shape?: readonly (number | string)[];
}

export interface TinyConstant {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  /** Keep the values in this file beside the model instead. */
  readonly file?: string;
}

export interface TinyGraph {
  readonly inputs: readonly TinyValue[];
  readonly outputs: readonly TinyValue[];
  readonly nodes: readonly {
    readonly op: string;
    readonly from: readonly string[];
    readonly to: readonly string[];
    readonly ints?: Readonly<Record<string, number>>;
  }[];
  /** float32 constants. */
  readonly constants?: Readonly<Record<string, TinyConstant>>;
}

/** Bytes of an ONNX file, for trying what the scorer makes of it. */
export function tinyModel(graph: TinyGraph): Uint8Array {
  const value = ({ name, type = 'float32', shape }: TinyValue) => ({
    name,
    type: {
      tensorType: {
        elemType: types[type],
        ...(shape === undefined
          ? {}
          : {
              shape: { dim: shape.map((d) => (typeof d === 'string' ? { dimParam: d } : { dimValue: d })) },
            }),
      },
    },
  });
  return onnx.ModelProto.encode(
    onnx.ModelProto.create({
      irVersion: 8,
      opsetImport: [{ domain: '', version: 13 }],
      graph: {
        name: 'tiny',
        input: graph.inputs.map(value),
        output: graph.outputs.map(value),
        initializer: Object.entries(graph.constants ?? {}).map(([name, { shape, values, file }]) => ({
          name,
          dims: [...shape],
          dataType: DataType.FLOAT,
          floatData: [...values],
          ...(file === undefined
            ? {}
            : {
                dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
                externalData: [{ key: 'location', value: file }],
              }),
        })),
        node: graph.nodes.map(({ op, from, to, ints }) => ({
          opType: op,
          input: [...from],
          output: [...to],
          attribute: Object.entries(ints ?? {}).map(([name, i]) => ({
            name,
            i,
            type: onnx.AttributeProto.AttributeType.INT,
          })),
        })),
      },
    }),
  ).finish();
}

/** A model as the workspace loader hands it on, with these bytes in a file of its own. */
export function compiledModel(bytes: Uint8Array, inputs: readonly string[], block = 32): CompiledModel {
  const path = join(mkdtempSync(join(tmpdir(), 'presage-model-')), 'tiny.onnx');
  writeFileSync(path, bytes);
  return {
    id: 'tiny',
    version: '1',
    path,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    inputs,
    missing: 0,
    defaults: {},
    block,
  };
}
