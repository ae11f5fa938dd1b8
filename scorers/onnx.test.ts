import { appendFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { PresageError } from '../core/index.ts';
import { compiledModel, type TinyGraph, tinyModel } from '../tests/support/onnx-models.ts';
import type { CompiledModel } from '../workspace/index.ts';
import { loadScorer } from './onnx.ts';
import type { Scorer } from './port.ts';

const inputs = ['a', 'b', 'c'];
const input = { name: 'rows', shape: ['n', 3] } as const;

/** A network of the size that ships: 3 -> 16 -> 1, with steep weights so that rounding would show. */
function network(
  outputs: TinyGraph['outputs'],
  tail: TinyGraph['nodes'],
  extra: TinyGraph['constants'] = {},
) {
  const wave = (count: number, scale: number) =>
    Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + 1) * scale);
  return tinyModel({
    inputs: [input],
    outputs,
    constants: {
      w1: { shape: [3, 16], values: wave(48, 0.9) },
      b1: { shape: [16], values: wave(16, 0.3) },
      w2: { shape: [16, 1], values: wave(16, 1.1) },
      b2: { shape: [1], values: [0.1] },
      ...extra,
    },
    nodes: [
      { op: 'Gemm', from: ['rows', 'w1', 'b1'], to: ['h'] },
      { op: 'Tanh', from: ['h'], to: ['t'] },
      { op: 'Gemm', from: ['t', 'w2', 'b2'], to: ['logit'] },
      ...tail,
    ],
  });
}

const sigmoid = network([{ name: 'p', shape: ['n', 1] }], [{ op: 'Sigmoid', from: ['logit'], to: ['p'] }]);

const open: Scorer[] = [];
async function scorerOf(model: CompiledModel): Promise<Scorer> {
  const scorer = await loadScorer(model);
  open.push(scorer);
  return scorer;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((scorer) => scorer.close()));
});

async function refusal(model: CompiledModel): Promise<string> {
  const error = await scorerOf(model).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(PresageError);
  expect((error as PresageError).code).toBe('model_unusable');
  return (error as PresageError).message;
}

describe('a score', () => {
  const number = fc.float({ min: -50, max: 50, noNaN: true });
  const rows = fc.array(fc.tuple(number, number, number), { minLength: 1, maxLength: 80 });

  it.each([1, 7, 32])('is the same bits in any batch, order and place (blocks of %i)', async (block) => {
    const scorer = await scorerOf(compiledModel(sigmoid, inputs, block));
    const scoreAll = async (some: readonly (readonly number[])[]) =>
      scorer.score(Float32Array.from(some.flat()), some.length);
    await fc.assert(
      fc.asyncProperty(
        rows,
        fc.array(fc.nat({ max: 79 }), { maxLength: 4 }),
        fc.infiniteStream(fc.nat()),
        async (all, cuts, keys) => {
          const whole = await scoreAll(all);
          const order = all
            .map((_, index) => ({ index, key: keys.next().value as number }))
            .sort((x, y) => x.key - y.key)
            .map(({ index }) => index);
          const edges = [0, ...cuts.filter((cut) => cut < all.length).sort((x, y) => x - y), all.length];
          for (let i = 1; i < edges.length; i++) {
            const part = order.slice(edges[i - 1], edges[i]);
            const scores = await scoreAll(part.map((index) => all[index]!));
            part.forEach((index, at) => {
              expect(scores[at]).toBe(whole[index]);
            });
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is right', async () => {
    const linear = tinyModel({
      inputs: [input],
      outputs: [{ name: 'p', shape: ['n', 1] }],
      constants: { w: { shape: [3, 1], values: [1, -2, 0.5] }, b: { shape: [1], values: [0.25] } },
      nodes: [
        { op: 'Gemm', from: ['rows', 'w', 'b'], to: ['logit'] },
        { op: 'Sigmoid', from: ['logit'], to: ['p'] },
      ],
    });
    const scorer = await scorerOf(compiledModel(linear, inputs));
    const [score] = await scorer.score(Float32Array.of(1, 0.5, 2), 1);
    expect(score).toBeCloseTo(1 / (1 + Math.exp(-1.25)), 6);
  });

  it('is given to each of several calls at a time', async () => {
    const scorer = await scorerOf(compiledModel(sigmoid, inputs, 8));
    const all = Array.from({ length: 40 }, (_, i) => Float32Array.of(i, i / 2, -i));
    const oneByOne = [];
    for (const row of all) oneByOne.push((await scorer.score(row, 1))[0]);
    const atOnce = await Promise.all(all.map((row) => scorer.score(row, 1)));
    expect(atOnce.map((scores) => scores[0])).toEqual(oneByOne);
  });

  it('of no rows is none', async () => {
    expect(await (await scorerOf(compiledModel(sigmoid, inputs))).score(new Float32Array(0), 0)).toHaveLength(
      0,
    );
  });

  it('is the second class of a classifier with two', async () => {
    const classifier = network(
      [
        { name: 'label', type: 'int64', shape: ['n'] },
        { name: 'probabilities', shape: ['n', 2] },
      ],
      [
        { op: 'Sigmoid', from: ['logit'], to: ['p'] },
        { op: 'Sub', from: ['one', 'p'], to: ['q'] },
        { op: 'Concat', from: ['q', 'p'], to: ['probabilities'], ints: { axis: 1 } },
        { op: 'ArgMax', from: ['probabilities'], to: ['label'], ints: { axis: 1, keepdims: 0 } },
      ],
      { one: { shape: [1], values: [1] } },
    );
    const two = await scorerOf(compiledModel(classifier, inputs));
    const one = await scorerOf(compiledModel(sigmoid, inputs));
    const rows = Float32Array.of(1, 2, 3, -1, 0.5, 4);
    expect(await two.score(rows, 2)).toEqual(await one.score(rows, 2));
  });

  it('is refused where it is no probability', async () => {
    const root = tinyModel({
      inputs: [input],
      outputs: [{ name: 'p', shape: ['n', 1] }],
      constants: { w: { shape: [3, 1], values: [0.001, 0, 0] }, b: { shape: [1], values: [0] } },
      nodes: [
        { op: 'Gemm', from: ['rows', 'w', 'b'], to: ['x'] },
        { op: 'Sqrt', from: ['x'], to: ['p'] },
      ],
    });
    const scorer = await scorerOf(compiledModel(root, inputs));
    expect(await scorer.score(Float32Array.of(10, 0, 0), 1)).toHaveLength(1);
    await expect(scorer.score(Float32Array.of(10, 0, 0, -4, 0, 0), 2)).rejects.toMatchObject({
      code: 'scorer_failed',
      details: { model: 'tiny', row: 1 },
    });
  });

  it('is refused for rows of another width', async () => {
    const scorer = await scorerOf(compiledModel(sigmoid, inputs));
    await expect(scorer.score(new Float32Array(5), 2)).rejects.toMatchObject({ code: 'scorer_failed' });
  });

  it('is refused after closing, and a call under way still ends', async () => {
    const scorer = await scorerOf(compiledModel(sigmoid, inputs, 1));
    const underWay = scorer.score(new Float32Array(300), 100);
    await scorer.close();
    expect(await underWay).toHaveLength(100);
    await expect(scorer.score(new Float32Array(3), 1)).rejects.toMatchObject({ code: 'scorer_failed' });
  });
});

describe('a model file', () => {
  it('that is no ONNX is refused', async () => {
    expect(await refusal(compiledModel(Buffer.from('not a model'), inputs))).toMatch(
      /^Model "tiny" \(.*tiny\.onnx\) is not an ONNX model that can be loaded \(.+\)\. Export it again, in one file\.$/,
    );
  });

  it('that is empty is refused', async () => {
    expect(await refusal(compiledModel(new Uint8Array(0), inputs))).toContain('is empty');
  });

  it.each([0.2, 0.5, 0.9, 0.99])('cut off at %f of its length is refused', async (share) => {
    const cut = sigmoid.subarray(0, Math.floor(sigmoid.length * share));
    expect(await refusal(compiledModel(cut, inputs))).not.toContain('\n');
  });

  it('that changed after the workspace was read is refused', async () => {
    const longer = compiledModel(sigmoid, inputs);
    appendFileSync(longer.path, 'x');
    expect(await refusal(longer)).toContain('has changed since the workspace was read');
    const shorter = compiledModel(sigmoid, inputs);
    truncateSync(shorter.path, 40);
    expect(await refusal(shorter)).toContain('has changed since the workspace was read');
  });

  it('that is gone is refused', async () => {
    const model = compiledModel(sigmoid, inputs);
    rmSync(model.path);
    expect(await refusal(model)).toContain('cannot be read');
  });

  it('with another number of inputs than the workspace lists is refused', async () => {
    expect(await refusal(compiledModel(sigmoid, ['a', 'b']))).toContain(
      'takes "rows" float32 [n, 3]; expected one float32 input of shape [rows, 2] (the workspace lists 2 inputs).',
    );
  });

  it('with a fixed number of rows says which block fits', async () => {
    const fixed = tinyModel({
      inputs: [{ name: 'rows', shape: [4, 3] }],
      outputs: [{ name: 'p', shape: [4, 1] }],
      constants: { w: { shape: [3, 1], values: [1, 1, 1] } },
      nodes: [
        { op: 'MatMul', from: ['rows', 'w'], to: ['logit'] },
        { op: 'Sigmoid', from: ['logit'], to: ['p'] },
      ],
    });
    expect(await refusal(compiledModel(fixed, inputs))).toContain('Write "block: 4"');
    await scorerOf(compiledModel(fixed, inputs, 4));
  });

  it.each<[string, TinyGraph['inputs'], string]>([
    ['float64 input', [{ name: 'rows', type: 'float64', shape: ['n', 3] }], 'takes "rows" float64 [n, 3]'],
    [
      'two inputs',
      [
        { name: 'x', shape: ['n', 3] },
        { name: 'y', shape: ['n', 1] },
      ],
      'has "x" float32 [n, 3] and "y" float32 [n, 1]',
    ],
  ])('with %s is refused', async (_, wrong, found) => {
    const graph = tinyModel({
      inputs: wrong,
      outputs: wrong.map((value, index) => ({ ...value, name: `out${index}` })),
      nodes: wrong.map((value, index) => ({ op: 'Identity', from: [value.name], to: [`out${index}`] })),
    });
    expect(await refusal(compiledModel(graph, inputs))).toContain(found);
  });

  it('with three classes is refused', async () => {
    const three = tinyModel({
      inputs: [input],
      outputs: [{ name: 'probabilities', shape: ['n', 3] }],
      nodes: [{ op: 'Softmax', from: ['rows'], to: ['probabilities'], ints: { axis: 1 } }],
    });
    expect(await refusal(compiledModel(three, inputs))).toContain(
      'gives "probabilities" float32 [n, 3]; expected "probabilities" as float32 [rows, 2], or a single float32 output of shape [rows] or [rows, 1].',
    );
  });

  it('with only a label is refused', async () => {
    const label = tinyModel({
      inputs: [input],
      outputs: [{ name: 'label', type: 'int64', shape: ['n'] }],
      nodes: [{ op: 'ArgMax', from: ['rows'], to: ['label'], ints: { axis: 1, keepdims: 0 } }],
    });
    expect(await refusal(compiledModel(label, inputs))).toContain('gives "label" int64 [n]; expected');
  });

  it('without its sigmoid is refused', async () => {
    const logits = network([{ name: 'logit', shape: ['n', 1] }], []);
    expect(await refusal(compiledModel(logits, inputs))).toContain('which is not a probability');
  });

  it('whose rows influence each other is refused', async () => {
    const overBatch = network(
      [{ name: 'p', shape: ['n', 1] }],
      [{ op: 'Softmax', from: ['logit'], to: ['p'], ints: { axis: 0 } }],
    );
    expect(await refusal(compiledModel(overBatch, inputs))).toContain(
      'scores a row differently beside other rows. Write "block: 1" in the workspace',
    );
    await scorerOf(compiledModel(overBatch, inputs, 1));
  });

  it('that keeps its weights in a second file is refused, since the hash would not cover them', async () => {
    const external = compiledModel(tinyModelWithExternalWeights(), inputs);
    writeFileSync(join(dirname(external.path), 'weights.bin'), Buffer.alloc(12));
    expect(await refusal(external)).toContain('in one file');
  });
});

function tinyModelWithExternalWeights(): Uint8Array {
  return tinyModel({
    inputs: [input],
    outputs: [{ name: 'p', shape: ['n', 1] }],
    constants: { w: { shape: [3, 1], values: [], file: 'weights.bin' } },
    nodes: [
      { op: 'MatMul', from: ['rows', 'w'], to: ['logit'] },
      { op: 'Sigmoid', from: ['logit'], to: ['p'] },
    ],
  });
}
