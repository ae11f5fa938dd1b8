/**
 * What must not be in a model's file, found before the runtime sees it: weights that lie in other files, which the hash
 * would not cover and whose path would be the file's to choose. Reads the wire format of protobuf along the fields that
 * lead to tensors (onnx.proto: ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto).
 */
export function forbiddenIn(bytes: Uint8Array): string | null {
  const budget = { messages: mostMessages };
  try {
    return look(bytes, 'model', 0, budget);
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

/** The runtime words what is malformed; here it only ends the search. */
class Malformed extends Error {}

type Kind = 'model' | 'graph' | 'node' | 'attribute' | 'tensor' | 'sparse' | 'function' | 'training';

const mostMessages = 1_000_000;
const mostDepth = 24;

/** Fields that are messages, by kind and number. */
const children: Readonly<Record<Kind, Readonly<Record<number, Kind>>>> = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  tensor: {},
  sparse: { 1: 'tensor', 2: 'tensor' },
  function: { 7: 'node', 11: 'attribute' },
  training: { 1: 'graph', 2: 'graph' },
};
const externalData = 13;
const dataLocation = 14;

function look(bytes: Uint8Array, kind: Kind, depth: number, budget: { messages: number }): string | null {
  budget.messages -= 1;
  if (budget.messages < 0) return 'has too many parts to be looked through';
  if (depth > mostDepth) return `has graphs within graphs, more than ${mostDepth} deep`;
  const reader = { bytes, at: 0 };
  while (reader.at < bytes.length) {
    const tag = varint(reader);
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (wire === 2) {
      const part = take(reader, varint(reader));
      if (kind === 'tensor' && field === externalData) return external;
      const child = children[kind][field];
      const found = child === undefined ? null : look(part, child, depth + 1, budget);
      if (found !== null) return found;
    } else if (wire === 0) {
      const value = varint(reader);
      if (kind === 'tensor' && field === dataLocation && value !== 0) return external;
    } else if (wire === 5) take(reader, 4);
    else if (wire === 1) take(reader, 8);
    else throw new Malformed();
  }
  return null;
}

const external =
  'keeps its weights in a second file, which its hash would not cover. Export it again, in one file';

interface Reader {
  readonly bytes: Uint8Array;
  at: number;
}

function varint(reader: Reader): number {
  let value = 0;
  for (let factor = 1, read = 0; read < 10; read++, factor *= 128) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined) throw new Malformed();
    value += (byte & 127) * factor;
    if (byte < 128) return value;
  }
  throw new Malformed();
}

function take(reader: Reader, length: number): Uint8Array {
  const end = reader.at + length;
  if (end > reader.bytes.length) throw new Malformed();
  const part = reader.bytes.subarray(reader.at, end);
  reader.at = end;
  return part;
}
