import onnxProto from 'onnx-proto';

const { onnx } = onnxProto;
const { FLOAT } = onnx.TensorProto.DataType;

/**
 * The ONNX file of a network: float32 `rows` [rows, inputs] -> `probability` [rows, 1]. The same network and notes
 * give the same bytes. The graph clips after scaling, so that no finite input can make it give a NaN.
 */
export function onnxFile(network, { name, notes }) {
  const { width, hidden, limit, mean, inverse, parameters } = network;
  const [w1, b1, w2, b2] = parameters;
  const tensor = (id, dims, values) => ({
    name: id,
    dims,
    dataType: FLOAT,
    rawData: new Uint8Array(Float32Array.from(values).buffer),
  });
  const node = (opType, input, output) => ({ name: output, opType, input, output: [output] });
  const value = (id, columns) => ({
    name: id,
    type: { tensorType: { elemType: FLOAT, shape: { dim: [{ dimParam: 'rows' }, { dimValue: columns }] } } },
  });
  const model = onnx.ModelProto.create({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 13 }],
    producerName: 'presage scripts/train',
    producerVersion: '1',
    graph: {
      name,
      input: [value('rows', width)],
      output: [value('probability', 1)],
      initializer: [
        tensor('mean', [width], mean),
        tensor('inverse', [width], inverse),
        tensor('low', [], [-limit]),
        tensor('high', [], [limit]),
        tensor('w1', [width, hidden], w1),
        tensor('b1', [hidden], b1),
        tensor('w2', [hidden, 1], w2),
        tensor('b2', [1], b2),
      ],
      node: [
        node('Sub', ['rows', 'mean'], 'centred'),
        node('Mul', ['centred', 'inverse'], 'standardised'),
        node('Clip', ['standardised', 'low', 'high'], 'clipped'),
        node('Gemm', ['clipped', 'w1', 'b1'], 'hidden'),
        node('Tanh', ['hidden'], 'units'),
        node('Gemm', ['units', 'w2', 'b2'], 'logit'),
        node('Sigmoid', ['logit'], 'probability'),
      ],
    },
    metadataProps: Object.entries(notes).map(([key, text]) => ({ key, value: String(text) })),
  });
  return onnx.ModelProto.encode(model).finish();
}
