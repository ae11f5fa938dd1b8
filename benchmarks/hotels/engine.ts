import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { systemClock } from '../../app/clock.ts';
import type { Logger } from '../../core/index.ts';
import type { Calibration, ManifestInput, ModelManifest } from '../../schemas/index.ts';
import { loadScorers, scorerMetrics } from '../../scorers/index.ts';
import { countOf, type Examples, positivesOf } from '../../training/index.ts';
import { type CompiledWorkspace, inputsHash } from '../../workspace/index.ts';
import { defaults, inputs } from './model.ts';
import { rankerWorkspace } from './workspace.ts';

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

export interface Trained {
  readonly file: Uint8Array;
  readonly by: string;
  readonly from: number;
  readonly to: number;
  readonly examples: Examples;
  readonly calibration: Calibration | null;
}

/** Writes the model with its manifest into a copy of the workspace in `folder`. */
export function writeModel(folder: string, workspace: CompiledWorkspace, trained: Trained): void {
  const stated: ManifestInput[] = inputs.map((name) => {
    const definition = workspace.features.find((one) => one.name === name.replace(/\[.*/, ''))?.hash;
    return { name, type: 'number', ...(definition === undefined ? {} : { definition }) };
  });
  const sha256 = createHash('sha256').update(trained.file).digest('hex');
  const manifest: ModelManifest = {
    manifest: 1,
    id: 'ranker',
    version: sha256.slice(0, 12),
    file: 'ranker.onnx',
    sha256,
    inputs: stated,
    inputsHash: inputsHash(stated),
    missing: 0,
    defaults: { ...defaults },
    block: 32,
    output: { meaning: 'probability', of: 'clickout' },
    calibration: trained.calibration,
    reliability: null,
    metrics: {},
    trained: {
      by: trained.by,
      at: Date.now(),
      from: trained.from,
      to: trained.to,
      rows: countOf(trained.examples),
      positives: positivesOf(trained.examples),
    },
  };
  mkdirSync(join(folder, 'models'), { recursive: true });
  writeFileSync(join(folder, 'models', 'ranker.onnx'), trained.file);
  writeFileSync(join(folder, 'models', 'ranker.manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Scores of all rows by the engine's scorer: the workspace is compiled with the model, held to its manifest, loaded. */
export async function scoresOf(example: string, folder: string, examples: Examples): Promise<Float32Array> {
  const workspace = await rankerWorkspace(example, folder, { withModel: true });
  const scorers = await loadScorers(workspace, {
    clock: systemClock,
    logger: quiet,
    metrics: scorerMetrics(new Registry()),
  });
  try {
    const scorer = scorers.get('ranker');
    if (scorer === undefined) throw new Error('the workspace has no model "ranker"');
    const width = inputs.length;
    const scores = new Float32Array(countOf(examples));
    for (let from = 0; from < scores.length; from += 8_192) {
      const to = Math.min(scores.length, from + 8_192);
      scores.set(await scorer.score(examples.values.subarray(from * width, to * width), to - from), from);
    }
    return scores;
  } finally {
    await scorers.close();
  }
}
