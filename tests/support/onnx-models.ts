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
  /** Default float32. */
  readonly type?: 'float32' | 'int64' | 'int8';
  /** Keep the values in this file beside the model instead. */
  readonly file?: string;
}

export interface TinyGraph {
  readonly inputs: readonly TinyValue[];
  readonly outputs: readonly TinyValue[];
  readonly nodes: readonly {
    readonly op: string;
    readonly domain?: string;
    readonly from: readonly string[];
    readonly to: readonly string[];
    readonly ints?: Readonly<Record<string, number>>;
  }[];
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
        initializer: Object.entries(graph.constants ?? {}).map(
          ([name, { shape, values, file, type = 'float32' }]) => ({
            name,
            dims: [...shape],
            dataType: { float32: DataType.FLOAT, int64: DataType.INT64, int8: DataType.INT8 }[type],
            ...(type === 'float32' ? { floatData: [...values] } : {}),
            ...(type === 'int64' ? { int64Data: [...values] } : {}),
            ...(type === 'int8' ? { int32Data: [...values] } : {}),
            ...(file === undefined
              ? {}
              : {
                  dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
                  externalData: [{ key: 'location', value: file }],
                }),
          }),
        ),
        node: graph.nodes.map(({ op, domain = '', from, to, ints }) => ({
          opType: op,
          domain,
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

/**
 * Bytes of a model of three inputs that turns its rows round `turns` times before it scores them: slow by as much as one
 * likes, endless for all that anybody will wait.
 */
export function turningModel(turns: number): Uint8Array {
  const { GRAPH } = onnx.AttributeProto.AttributeType;
  const value = (name: string, elemType: number, dims: readonly (number | string)[]) => ({
    name,
    type: {
      tensorType: {
        elemType,
        shape: { dim: dims.map((d) => (typeof d === 'string' ? { dimParam: d } : { dimValue: d })) },
      },
    },
  });
  const rows = (name: string) => value(name, DataType.FLOAT, ['n', 3]);
  const body = onnx.GraphProto.create({
    name: 'turn',
    input: [value('i', DataType.INT64, []), value('goes', DataType.BOOL, []), rows('before')],
    output: [value('on', DataType.BOOL, []), rows('after')],
    node: [
      { opType: 'Identity', input: ['goes'], output: ['on'] },
      { opType: 'Neg', input: ['before'], output: ['after'] },
    ],
  });
  return onnx.ModelProto.encode(
    onnx.ModelProto.create({
      irVersion: 8,
      opsetImport: [{ domain: '', version: 13 }],
      graph: {
        name: 'turning',
        input: [rows('rows')],
        output: [value('p', DataType.FLOAT, ['n', 1])],
        initializer: [
          { name: 'turns', dims: [], dataType: DataType.INT64, int64Data: [turns] },
          { name: 'begin', dims: [], dataType: DataType.BOOL, int32Data: [1] },
          { name: 'w', dims: [3, 1], dataType: DataType.FLOAT, floatData: [0.1, 0.2, 0.3] },
        ],
        node: [
          {
            opType: 'Loop',
            input: ['turns', 'begin', 'rows'],
            output: ['turned'],
            attribute: [{ name: 'body', g: body, type: GRAPH }],
          },
          { opType: 'MatMul', input: ['turned', 'w'], output: ['x'] },
          { opType: 'Sigmoid', input: ['x'], output: ['p'] },
        ],
      },
    }),
  ).finish();
}

/** Bytes of a model that asks for `megabytes` of memory at each call. */
export function greedyModel(megabytes: number): Uint8Array {
  const cells = megabytes * 262_144;
  return tinyModel({
    inputs: [{ name: 'rows', shape: ['n', 3] }],
    outputs: [{ name: 'p', shape: ['n', 1] }],
    constants: {
      w: { shape: [3, 1], values: [0.1, 0.2, 0.3] },
      zero: { shape: [1, 1], values: [0] },
      size: { shape: [2], values: [1, cells], type: 'int64' },
    },
    nodes: [
      { op: 'MatMul', from: ['rows', 'w'], to: ['x'] },
      { op: 'ReduceMin', from: ['x'], to: ['one'], ints: { keepdims: 1 } },
      { op: 'Expand', from: ['one', 'size'], to: ['wide'] },
      { op: 'Mul', from: ['wide', 'zero'], to: ['nought'] },
      { op: 'ReduceMax', from: ['nought'], to: ['none'], ints: { keepdims: 1 } },
      { op: 'Add', from: ['x', 'none'], to: ['y'] },
      { op: 'Sigmoid', from: ['y'], to: ['p'] },
    ],
  });
}
