import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;
const { FLOAT, INT64 } = onnx.TensorProto.DataType;
const { INT } = onnx.AttributeProto.AttributeType;

type Node = InstanceType<typeof onnx.NodeProto>;

/** Collects the nodes and constants of an ONNX graph; the same calls give the same bytes. */
export class Graph {
  readonly nodes: Node[] = [];
  readonly constants: InstanceType<typeof onnx.TensorProto>[] = [];

  /** Adds a node and returns the name of its only output. */
  add(opType: string, input: readonly string[], output: string, ints: Readonly<Record<string, number>> = {}) {
    const attribute = Object.entries(ints).map(([name, i]) => ({ name, i, type: INT }));
    this.nodes.push(
      onnx.NodeProto.create({ name: output, opType, input: [...input], output: [output], attribute }),
    );
    return output;
  }

  float(name: string, dims: readonly number[], values: ArrayLike<number>): string {
    return this.#constant(name, dims, FLOAT, new Uint8Array(Float32Array.from(values).buffer));
  }

  int64(name: string, dims: readonly number[], values: readonly number[]): string {
    return this.#constant(name, dims, INT64, new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer));
  }

  #constant(name: string, dims: readonly number[], dataType: number, rawData: Uint8Array): string {
    this.constants.push(onnx.TensorProto.create({ name, dims: [...dims], dataType, rawData }));
    return name;
  }

  /** The file: float32 `rows` [rows, width] -> float32 `output` [rows, 1]. */
  file(name: string, width: number, output: string): Uint8Array {
    return onnx.ModelProto.encode(
      onnx.ModelProto.create({
        irVersion: 8,
        opsetImport: [{ domain: '', version: 13 }],
        producerName: 'presage train',
        graph: {
          name,
          input: [matrix('rows', width)],
          output: [matrix(output, 1)],
          initializer: this.constants,
          node: this.nodes,
        },
      }),
    ).finish();
  }
}

export const matrix = (name: string, columns: number) => ({
  name,
  type: { tensorType: { elemType: FLOAT, shape: { dim: [{ dimParam: 'rows' }, { dimValue: columns }] } } },
});
