import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadScorer } from '../../scorers/onnx.ts';
import { compiledModel } from '../../tests/support/onnx-models.ts';
import { type ColumnPlan, columnsOf, plainColumns } from '../contrasts.ts';
import { type Examples, rowAt } from '../examples.ts';
import { fitLogistic, logisticDefaults, logitOf, sigmoid } from '../logistic.ts';
import { randomFrom } from '../random.ts';
import { logisticOnnx } from './logistic.ts';

const inputs = ['looks', 'price', 'now', 'seen_at'];
const plan: ColumnPlan = {
  contrasts: [{ name: 'since', of: 'now', minus: 'seen_at', least: 0, most: 100_000 }],
  hidden: ['now', 'seen_at'],
};
const crosses = [
  ['looks', 'price'],
  ['looks', 'price', 'since'],
];

function drawn(count: number, seed: number): Examples {
  const random = randomFrom(seed);
  const values = new Float32Array(count * inputs.length);
  const labels = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const now = 2 ** 23 + random.below(100_000);
    const looks = random.below(6);
    const price = 20 + random.uniform() * 300;
    const seenAt = random.below(3) === 0 ? -1e6 : now - random.below(5_000);
    values.set([looks, price, now, seenAt], row * inputs.length);
    labels[row] = random.uniform() < sigmoid(looks / 2 - price / 100 + (now - seenAt < 500 ? 1 : -1)) ? 1 : 0;
  }
  return { inputs, values, labels };
}

async function parity(examples: Examples, fresh: Float32Array, seed: number): Promise<number> {
  const model = fitLogistic(columnsOf(examples, plan), {
    ...logisticDefaults,
    bins: 12,
    hashBits: 8,
    epochs: 2,
    crosses,
    seed,
  });
  const file = logisticOnnx(model, inputs, plan, 'test');
  const scorer = await loadScorer(compiledModel(file, inputs));
  const count = fresh.length / inputs.length;
  const scores = await scorer.score(fresh, count);
  const wide = columnsOf({ inputs, values: fresh, labels: new Uint8Array(count) }, plan);
  await scorer.close();
  return Math.max(
    ...Array.from(scores, (score, row) => Math.abs(score - sigmoid(logitOf(model, rowAt(wide, row))))),
  );
}

describe('the ONNX file of a logistic regression', () => {
  it('gives in the scorer what the trainer gives, within 1e-5', async () => {
    expect(await parity(drawn(3_000, 1), drawn(2_000, 2).values, 1)).toBeLessThan(1e-5);
  });

  it('does so for any rows, on thresholds and far out as well', async () => {
    const examples = drawn(400, 3);
    const wild = fc.oneof(
      fc.constantFrom(...examples.values),
      fc.float({ noNaN: true, noDefaultInfinity: true }),
      fc.integer({ min: -5, max: 10 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(wild, { minLength: 4, maxLength: 4 }), fc.integer(), async (row, seed) => {
        expect(await parity(examples, Float32Array.from(row), seed)).toBeLessThan(1e-5);
      }),
      { numRuns: 40 },
    );
  });

  it('is the same, byte for byte, for the same model', () => {
    const model = fitLogistic(drawn(300, 4), { ...logisticDefaults, crosses: [['looks', 'price']] });
    expect(logisticOnnx(model, inputs, plainColumns, 'a')).toEqual(
      logisticOnnx(model, inputs, plainColumns, 'a'),
    );
  });
});
