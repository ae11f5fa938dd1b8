import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { type CompiledWorkspace, loadWorkspace } from '../../workspace/index.ts';
import { makeRandom } from '../shared/random.ts';

const { onnx } = onnxProto;
const { DataType } = onnx.TensorProto;
const { FLOATS, INTS, STRING, STRINGS, INT } = onnx.AttributeProto.AttributeType;

/** The first set-up of the benchmarks of decisions: so many features, trees and candidates, and three expressions. */
export const setUp = { features: 20, trees: 100, depth: 5, candidates: 20 } as const;

/** Of these, the last two are the candidate's own. */
export const featureNames = Array.from({ length: setUp.features - 2 }, (_, n) => `f${n + 1}`);
const inputs = [...featureNames, 'action.price', 'action.margin'];

/**
 * A forest as gradient boosting makes it: `trees` full binary trees of `depth` (31 splits, 32 leaves: LightGBM's default
 * number of leaves), their sum through a sigmoid. Splits and leaves are drawn at random from a fixed seed: what a tree
 * costs does not depend on what it learned.
 */
export function forest(trees: number = setUp.trees, depth: number = setUp.depth): Uint8Array {
  const random = makeRandom(11);
  const ints: Record<string, number[]> = {};
  const floats: Record<string, number[]> = {};
  const modes: string[] = [];
  const push = (into: Record<string, number[]>, name: string, value: number) => {
    into[name] ??= [];
    into[name].push(value);
  };
  for (let tree = 0; tree < trees; tree++) {
    const splits = 2 ** depth - 1;
    for (let node = 0; node < 2 ** (depth + 1) - 1; node++) {
      const isSplit = node < splits;
      push(ints, 'nodes_treeids', tree);
      push(ints, 'nodes_nodeids', node);
      push(ints, 'nodes_featureids', isSplit ? Math.floor(random() * inputs.length) : 0);
      push(floats, 'nodes_values', isSplit ? random() * 100 : 0);
      push(ints, 'nodes_truenodeids', isSplit ? 2 * node + 1 : 0);
      push(ints, 'nodes_falsenodeids', isSplit ? 2 * node + 2 : 0);
      push(ints, 'nodes_missing_value_tracks_true', 0);
      push(floats, 'nodes_hitrates', 1);
      modes.push(isSplit ? 'BRANCH_LEQ' : 'LEAF');
      if (isSplit) continue;
      push(ints, 'target_treeids', tree);
      push(ints, 'target_nodeids', node);
      push(ints, 'target_ids', 0);
      push(floats, 'target_weights', (random() - 0.6) * 0.1);
    }
  }
  const tensor = (name: string, columns: number) => ({
    name,
    type: {
      tensorType: { elemType: DataType.FLOAT, shape: { dim: [{ dimParam: 'n' }, { dimValue: columns }] } },
    },
  });
  return onnx.ModelProto.encode(
    onnx.ModelProto.create({
      irVersion: 8,
      opsetImport: [
        { domain: '', version: 13 },
        { domain: 'ai.onnx.ml', version: 3 },
      ],
      graph: {
        name: 'forest',
        input: [tensor('rows', inputs.length)],
        output: [tensor('p', 1)],
        node: [
          {
            opType: 'TreeEnsembleRegressor',
            domain: 'ai.onnx.ml',
            input: ['rows'],
            output: ['x'],
            attribute: [
              ...Object.entries(ints).map(([name, values]) => ({ name, ints: values, type: INTS })),
              ...Object.entries(floats).map(([name, values]) => ({ name, floats: values, type: FLOATS })),
              { name: 'nodes_modes', strings: modes.map((mode) => Buffer.from(mode)), type: STRINGS },
              { name: 'n_targets', i: 1, type: INT },
              { name: 'post_transform', s: Buffer.from('NONE'), type: STRING },
            ],
          },
          { opType: 'Sigmoid', input: ['x'], output: ['p'] },
        ],
      },
    }),
  ).finish();
}

const line = (indent: number, text: string): string => `${' '.repeat(indent)}${text}\n`;

/** Writes the workspace with its model, and reads it. `more`: further lines of the placement. */
export async function writeSetUp(
  folder: string,
  { hasModel = true, block = 20, more = '' }: { hasModel?: boolean; block?: number; more?: string } = {},
): Promise<CompiledWorkspace> {
  mkdirSync(folder, { recursive: true });
  const bytes = forest();
  writeFileSync(join(folder, 'forest.onnx'), bytes);
  let text =
    'version: 1\nname: bench\ntenants: { acme: {} }\ntypes:\n  view: { properties: { price: number } }\n';
  text += 'features:\n';
  featureNames.forEach((name, n) => {
    const window = `${n + 1}h`;
    text += line(2, `${name}: { kind: sum, of: view, property: price, scale: 2, window: ${window} }`);
  });
  text += `placements:\n  banner: { ${hasModel ? 'model: forest, ' : ''}default: help${more} }\nactions:\n`;
  for (let n = 0; n < setUp.candidates - 1; n++)
    text += line(
      2,
      `offer_${n}: { placements: [banner], eligible: f1 >= 0.0, weight: "f2 > 10.0 ? 2.0 : 1.0", value: "1.0 + f3 / 100.0", attributes: { price: ${10 + n}, margin: ${n % 7} }, content: { title: Offer ${n} } }`,
    );
  text += line(
    2,
    'help: { placements: [banner], value: 0.5, attributes: { price: 0, margin: 0 }, content: { title: Help } }',
  );
  text += 'triggers: { on_view: { on: view, placement: banner } }\n';
  text += 'scoring: { budget: 20ms }\n';
  text += `models:\n  forest: { file: forest.onnx, version: "${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}", block: ${block}, inputs: [${inputs.join(', ')}] }\n`;
  writeFileSync(join(folder, 'presage.yaml'), text);
  return loadWorkspace(folder);
}
