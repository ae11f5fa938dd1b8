import { fitLightgbm, lightgbmDefaults } from '../../app/training/lightgbm.ts';
import type { PythonTrainer } from '../../app/training/python/environment.ts';
import {
  columnsOf,
  type Examples,
  fitLogistic,
  logisticDefaults,
  logisticOnnx,
} from '../../training/index.ts';
import { inputs, plan } from './model.ts';

/** A way to fit the ranker: what is tried in tuning. */
export interface Candidate {
  readonly name: string;
  fit(examples: Examples, seed: number): Promise<{ readonly file: Uint8Array; readonly by: string }>;
}

const crosses = [
  ['action.position', 'behind_touched'],
  ['looks_by_hotel[action.item]', 'behind_touched'],
  ['clickouts_by_hotel[action.item]', 'behind_touched'],
  ['below_last', 'behind_touched'],
  ['since_touched', 'clickouts_by_hotel[action.item]'],
  ['since_touched', 'looks_by_hotel[action.item]'],
  ['idle', 'behind_touched'],
  ['since_left', 'below_last'],
  ['session_clickouts', 'behind_touched'],
  ['clickouts_by_hotel[action.item]', 'since_left'],
];

function ftrl(bins: number, l1: number): Candidate {
  return {
    name: `ftrl, ${bins} bins, l1 ${l1}`,
    async fit(examples, seed) {
      const options = { ...logisticDefaults, bins, l1, crosses, epochs: 4, seed };
      const model = fitLogistic(columnsOf(examples, plan), options);
      return { file: logisticOnnx(model, inputs, plan, 'ranker'), by: 'presage ftrl' };
    },
  };
}

function lightgbm(python: PythonTrainer, leaves: number, rounds: number, least: number): Candidate {
  return {
    name: `lightgbm, ${rounds} rounds of ${leaves} leaves, ${least} rows a leaf`,
    fit: (examples, seed) =>
      fitLightgbm(
        python,
        examples,
        plan,
        {
          rounds,
          seed,
          parameters: { ...lightgbmDefaults.parameters, num_leaves: leaves, min_data_in_leaf: least },
        },
        'ranker',
      ),
  };
}

export const candidates = (python: PythonTrainer | null): readonly Candidate[] => [
  ftrl(32, 0.5),
  ...(python === null
    ? []
    : [
        lightgbm(python, 7, 150, 100),
        lightgbm(python, 15, 150, 100),
        lightgbm(python, 15, 300, 100),
        lightgbm(python, 31, 150, 100),
      ]),
];
