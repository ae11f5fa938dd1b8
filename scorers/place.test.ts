import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { compiledModel, tinyModel, turningModel } from '../tests/support/onnx-models.ts';
import type { CompiledModel } from '../workspace/index.ts';
import { type PlacedModel, placeModel } from './place.ts';
import { processLimits } from './process-runtime.ts';

const inputs = ['a', 'b', 'c'];
const open: PlacedModel[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(({ scorer }) => scorer.close()));
});
async function place(model: CompiledModel): Promise<PlacedModel> {
  const placed = await placeModel(model, { ...processLimits, runMs: 60_000 });
  open.push(placed);
  return placed;
}

const weights = [0.4, -0.25, 0.13];
const whole = tinyModel({
  inputs: [{ name: 'rows', shape: ['n', 3] }],
  outputs: [{ name: 'p', shape: ['n', 1] }],
  constants: { w: { shape: [3, 1], values: weights } },
  nodes: [
    { op: 'MatMul', from: ['rows', 'w'], to: ['x'] },
    { op: 'Sigmoid', from: ['x'], to: ['p'] },
  ],
});
/** Weights in steps of `step`. */
const inIntegers = (step: number) =>
  tinyModel({
    inputs: [{ name: 'rows', shape: ['n', 3] }],
    outputs: [{ name: 'p', shape: ['n', 1] }],
    constants: {
      q: { shape: [3, 1], values: weights.map((weight) => Math.round(weight / step)), type: 'int8' },
      step: { shape: [], values: [step] },
    },
    nodes: [
      { op: 'DequantizeLinear', from: ['q', 'step'], to: ['w'] },
      { op: 'MatMul', from: ['rows', 'w'], to: ['x'] },
      { op: 'Sigmoid', from: ['x'], to: ['p'] },
    ],
  });

function withVariant(bytes: Uint8Array, bound: number): CompiledModel {
  const model = compiledModel(whole, inputs);
  const path = join(dirname(model.path), 'tiny.int8.onnx');
  writeFileSync(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const rows = [
    [1, 2, 3],
    [-4, 0.5, 9],
    [0, 0, 0],
  ];
  return { ...model, quantised: { path, sha256, bound, rows } };
}

describe('a model', () => {
  it('that is small and quick runs in this process', async () => {
    const { runs, blockMs } = await place(compiledModel(whole, inputs));
    expect(runs).toBe('inline');
    expect(blockMs).toBeLessThan(1);
  });

  it('that is slow by measurement runs in one of its own, and scores the same rows the same', async () => {
    const { runs, scorer, blockMs } = await place(compiledModel(turningModel(20_000), inputs));
    expect({ runs, isSlow: blockMs > 1 }).toEqual({ runs: 'process', isSlow: true });
    const rows = Float32Array.from({ length: 120 }, (_, n) => Math.sin(n));
    const together = await scorer.score(rows, 40);
    const [alone] = await scorer.score(rows.slice(21, 24), 1);
    expect(together[7]).toBe(alone);
  });
});

describe('a variant in 8-bit integers', () => {
  it('is used where it is as good as its manifest says, and the record names it', async () => {
    const model = withVariant(inIntegers(0.005), 0.01);
    const { quantised, scorer } = await place(model);
    expect(quantised).toMatch(/^used: differs by 0\.00/);
    expect(scorer.model.sha256).toBe(model.quantised?.sha256);
  });

  it('is not used where it is worse', async () => {
    const model = withVariant(inIntegers(0.3), 0.01);
    const { quantised, scorer } = await place(model);
    expect(quantised).toMatch(/^not used: differs by 0\.[0-9]+ at most, bound 0\.01/);
    expect(scorer.model.sha256).toBe(model.sha256);
  });

  it('is not used where it cannot be loaded', async () => {
    const { quantised, runs } = await place(withVariant(Buffer.from('no model'), 0.01));
    expect(quantised).toMatch(/^not used: Model "tiny"/);
    expect(runs).toBe('inline');
  });
});
