import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadScorer } from '../../scorers/onnx.ts';
import { areaUnderCurve, calibrationError, logLoss } from './measure.mjs';
import { predict } from './network.mjs';
import { train } from './run.mjs';
import { shoppers } from './shoppers.mjs';
import { travellers } from './travellers.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const folder = mkdtempSync(join(tmpdir(), 'presage-train-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each([
  ['shop', shoppers],
  ['travel', travellers],
] as const)('training the model of %s', (example, visits) => {
  const script = join(root, 'scripts', 'train', `${example}.mjs`);
  const { models } = parse(readFileSync(join(root, 'examples', example, 'presage.yaml'), 'utf8'));

  function run(name: string, ...args: string[]) {
    const out = join(folder, `${example}-${name}.onnx`);
    execFileSync(process.execPath, [script, '--rows', '800', '--out', out, ...args]);
    return {
      out,
      bytes: readFileSync(out),
      manifest: JSON.parse(readFileSync(out.replace('.onnx', '.json'), 'utf8')),
    };
  }

  function load(path: string, sha256: string) {
    const { inputs, defaults, version } = models.accept;
    return loadScorer({ id: 'accept', version, path, sha256, inputs, missing: 0, defaults, block: 32 });
  }

  it('gives the same bytes for the same rows and seed, and others for another seed', () => {
    const [first, again, other] = [run('a'), run('b'), run('c', '--seed', '8')];
    expect(again.bytes.equals(first.bytes)).toBe(true);
    expect(again.manifest).toEqual(first.manifest);
    expect(other.bytes.equals(first.bytes)).toBe(false);
  });

  it('gives a model that loads and scores as the script itself does', async () => {
    const trained = train({ script, example, model: 'accept', visits, rows: 800, seed: 7 });
    const { out, manifest } = run('d');
    expect(manifest.metrics).toEqual(trained.manifest.metrics);
    const scorer = await load(out, manifest.sha256);
    const rows: number[][] = trained.heldOut.map((one: { row: number[] }) => one.row);
    expect(rows.length).toBeGreaterThan(50);
    const scores = await scorer.score(Float32Array.from(rows.flat()), rows.length);
    rows.forEach((row, index) => {
      expect(Math.abs((scores[index] ?? Number.NaN) - predict(trained.network, row))).toBeLessThan(1e-5);
    });
    await scorer.close();
  });

  it('gives a probability for any finite input', async () => {
    const { out, manifest } = run('e');
    const scorer = await load(out, manifest.sha256);
    const width = scorer.model.inputs.length;
    for (const value of [3.4e38, -3.4e38, 1e-40, 0]) {
      const [score] = await scorer.score(new Float32Array(width).fill(value), 1);
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
    await scorer.close();
  });

  it('says what is wrong with an option in one sentence', () => {
    const refused = (...args: string[]) => {
      const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
      return [status, stderr.trimEnd().split('\n')];
    };
    const name = `scripts/train/${example}.mjs`;
    expect(refused('--rows', 'many')).toEqual([
      2,
      [`${name}: --rows: expected a whole number from 200 to 2000000, got many`],
    ]);
    expect(refused('--out', 'model.bin')).toEqual([
      2,
      [`${name}: --out: expected a file that ends in .onnx, got model.bin`],
    ]);
    const [status, lines] = refused('--row', '5');
    expect([status, lines?.length]).toEqual([2, 1]);
  });
});

describe('figures of a model', () => {
  it('count ties half in the area under the curve', () => {
    expect(areaUnderCurve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBe(0.75);
    expect(areaUnderCurve([0.5, 0.5, 0.5], [0, 1, 1])).toBe(0.5);
    expect(areaUnderCurve([0.5, 0.6], [1, 1])).toBeNull();
  });

  it('punish confident mistakes in the log loss', () => {
    expect(logLoss([0.5, 0.5], [0, 1])).toBeCloseTo(Math.log(2), 12);
    expect(logLoss([0.9, 0.2], [1, 0])).toBeCloseTo(-(Math.log(0.9) + Math.log(0.8)) / 2, 12);
  });

  it('are calibrated when each bin sees what it predicts', () => {
    expect(calibrationError([0.5, 0.5, 0.5, 0.5], [0, 1, 0, 1], 1)).toBe(0);
    expect(calibrationError([0.9, 0.9, 0.1, 0.1], [0, 0, 1, 1], 2)).toBeCloseTo(0.9, 12);
  });
});
