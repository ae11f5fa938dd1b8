import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PresageError } from '../../core/index.ts';
import { loadScorer } from '../../scorers/onnx.ts';
import { compiledModel } from '../../tests/support/onnx-models.ts';
import { type Examples, plainColumns, randomFrom, reliabilityOf, sigmoid } from '../../training/index.ts';
import type { CompiledAction } from '../../workspace/index.ts';
import type { Labelled } from './labelled.ts';
import { fitLightgbm, lightgbmDefaults } from './lightgbm.ts';
import { type PythonTrainer, pythonTrainer } from './python/environment.ts';
import type { ModelSpec } from './spec.ts';
import { train } from './train.ts';
import { writeModel } from './write.ts';

const inputs = ['looks', 'now', 'seen_at'];
const plan = {
  contrasts: [{ name: 'since', of: 'now', minus: 'seen_at', least: 0, most: 10_000 }],
  hidden: ['now', 'seen_at'],
};

/** Lists of five; what was seen within the last 500 s is chosen more often. */
function drawn(lists: number, seed: number): Examples {
  const random = randomFrom(seed);
  const values = new Float32Array(lists * 5 * inputs.length);
  const labels = new Uint8Array(lists * 5);
  for (let list = 0; list < lists; list++) {
    const now = 2 ** 23 + random.below(1_000_000);
    const weights = Array.from({ length: 5 }, (_, i) => {
      const looks = random.uniform() * 3;
      const since = random.below(2_000) + 0.5;
      values.set([looks, now, now - since], (list * 5 + i) * inputs.length);
      return Math.exp(looks + (since < 500 ? 2 : 0));
    });
    let left = random.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
    const chosen = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    labels[list * 5 + chosen] = 1;
  }
  return { inputs, values, labels, lists: Int32Array.from(labels, (_, row) => Math.floor(row / 5)) };
}

let python: PythonTrainer | null = null;
const home = mkdtempSync(join(tmpdir(), 'presage-python-'));
beforeAll(async () => {
  try {
    python = await pythonTrainer(home, () => {});
  } catch (error) {
    // In CI its absence is a failure: .ci/run brings Python along.
    if (process.env.CI !== undefined || !(error instanceof PresageError)) throw error;
    process.stderr.write(`\nSKIPPED: tests of --trainer lightgbm. ${error.message}\n`);
  }
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('--trainer lightgbm', () => {
  it('trains, calibrates and measures on labelled decisions as ftrl does', async () => {
    if (python === null) return;
    const random = randomFrom(8);
    const rows: Labelled[] = Array.from({ length: 1_500 }, (_, n) => {
      const views = random.below(10);
      const label = random.uniform() < sigmoid(views - 6) ? 1 : 0;
      return { id: `${n}`, action: 'voucher', shownAt: n, features: { views }, label, said: null };
    });
    const spec: ModelSpec = {
      ...{ id: 'accept', placements: ['home'], missing: -1, defaults: {}, block: 32, version: null },
      inputs: [{ name: 'views', type: 'number' }],
      actions: new Map([['voucher', { attributes: {} } as unknown as CompiledAction]]),
    };
    const trained = await train({
      ...{
        spec,
        rows,
        python,
        metric: 'accepted',
        longestWindow: '1d',
        calibration: 'isotonic',
        seed: 1,
        now: 0,
      },
      leftOut: { simulated: 0, immature: 0, neverShown: 0, severalSlots: 0 },
    });
    expect(trained.parts).toEqual({ fitted: 900, calibrated: 300, heldOut: 300 });
    expect(trained.figures.logLoss).toBeLessThan(trained.logLossOfRate);
    expect(trained.manifest.trained.by).toMatch(/^LightGBM 4/);
    expect(await writeModel(join(home, 'models', 'accept.onnx'), trained)).toBeLessThan(1e-5);
  });

  it.each([
    ['of lists', (examples: Examples) => examples],
    ['of rows', ({ lists: _, ...examples }: Examples) => examples],
  ])(
    '%s gives in the scorer what LightGBM gives, within 1e-5, the same for the same seed',
    async (_, shape) => {
      if (python === null) return;
      const examples = shape(drawn(600, 1));
      const options = { ...lightgbmDefaults, rounds: 40 };
      const other = shape(drawn(200, 2));
      const forest = await fitLightgbm(python, examples, plan, options, 'test', [other]);
      const scorer = await loadScorer(compiledModel(forest.file, inputs));
      const scores = await scorer.score(examples.values, examples.labels.length);
      const ofOther = await scorer.score(other.values, other.labels.length);
      await scorer.close();
      const own = forest.scores.flatMap((some) => [...some]);
      expect(own).toHaveLength(800 * 5);
      const furthest = Math.max(
        ...[...scores, ...ofOther].map((score, row) => Math.abs(score - sigmoid(own[row] ?? Number.NaN))),
      );
      expect(furthest).toBeLessThan(1e-5);
      expect(reliabilityOf(scores, examples.labels).auc).toBeGreaterThan(0.7);
      const again = await fitLightgbm(python, examples, plan, options, 'test');
      expect(Buffer.compare(again.file, forest.file)).toBe(0);
    },
  );

  it('says what Python said where it fails', async () => {
    if (python === null) return;
    const failing = fitLightgbm(
      python,
      drawn(3, 1),
      plainColumns,
      { ...lightgbmDefaults, parameters: { objective: 'nonesuch' } },
      'x',
    );
    await expect(failing).rejects.toMatchObject({
      code: 'training_failed',
      message: expect.stringContaining('nonesuch'),
    });
  });
});
