import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PresageError } from '../../core/index.ts';
import { modelManifest } from '../../schemas/index.ts';
import { loadScorer } from '../../scorers/onnx.ts';
import { manifestPathOf } from '../../workspace/index.ts';
import type { TrainedModel } from './train.ts';

/** How far the scorer may be from the trainer. */
export const parity = 1e-5;

/**
 * Writes FILE.onnx and FILE.manifest.json, once the scorer gives for the newest rows what the trainer gives. Returns
 * the largest difference. Throws PresageError `training_failed`, with nothing written, where they differ.
 */
export async function writeModel(path: string, { file, manifest, check }: TrainedModel): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const fresh = join(dirname(path), `.${basename(path)}.${process.pid}`);
  await writeFile(fresh, file);
  const { id, version, sha256, missing, defaults, block } = manifest;
  const inputs = manifest.inputs.map(({ name }) => name);
  const scorer = await loadScorer({ id, version, path: fresh, sha256, inputs, missing, defaults, block });
  try {
    const scores = await scorer.score(check.values, check.predictions.length);
    const furthest = scores.reduce(
      (most, score, row) => Math.max(most, Math.abs(score - (check.predictions[row] ?? Number.NaN))),
      0,
    );
    if (!(furthest <= parity))
      throw new PresageError(
        'training_failed',
        `The ONNX file gives other probabilities than the trainer, by up to ${furthest}: nothing was written.`,
      );
    const whole = modelManifest.parse({ ...manifest, file: basename(path) });
    await writeFile(manifestPathOf(path), `${JSON.stringify(whole, null, 2)}\n`);
    await rename(fresh, path);
    return furthest;
  } finally {
    await scorer.close();
  }
}
