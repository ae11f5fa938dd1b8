import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { Logger } from '../core/index.ts';
import { compiledModel, tinyModel } from '../tests/support/onnx-models.ts';
import type { CompiledModel, CompiledWorkspace } from '../workspace/index.ts';
import { loadScorers, type ScorerOptions } from './load.ts';
import { scorerMetrics } from './metrics.ts';

/** Square root of its only input: a probability up to 1, NaN below 0. */
const root = tinyModel({
  inputs: [{ name: 'rows', shape: ['n', 1] }],
  outputs: [{ name: 'p', shape: ['n', 1] }],
  constants: { w: { shape: [1, 1], values: [0.001] }, b: { shape: [1], values: [0] } },
  nodes: [
    { op: 'Gemm', from: ['rows', 'w', 'b'], to: ['x'] },
    { op: 'Sqrt', from: ['x'], to: ['p'] },
  ],
});

function workspaceOf(...models: CompiledModel[]): CompiledWorkspace {
  return { models: new Map(models.map((model) => [model.id, model])) } as unknown as CompiledWorkspace;
}

function surroundings() {
  const registry = new Registry();
  const time = { now: 0 };
  const errors: string[] = [];
  const logger: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (_, message) => errors.push(message),
    child: () => logger,
  };
  const clock = { now: () => time.now, monotonic: () => time.now };
  const options: ScorerOptions = { clock, logger, metrics: scorerMetrics(registry) };
  const total = async (name: string) =>
    (await registry.getSingleMetric(name)?.get())?.values.reduce((sum, { value }) => sum + value, 0);
  return { options, time, errors, total };
}

describe('the scorers of a workspace', () => {
  it('are found by the id of their model', async () => {
    const { options } = surroundings();
    const [one, two] = [compiledModel(root, ['a']), { ...compiledModel(root, ['a']), id: 'other' }];
    const scorers = await loadScorers(workspaceOf(one, two), options);
    expect(scorers.get('tiny')?.model).toBe(one);
    expect(scorers.get('other')?.model).toBe(two);
    expect(scorers.get('none')).toBeUndefined();
    await scorers.close();
    await expect(scorers.get('tiny')?.score(new Float32Array(1), 1)).rejects.toMatchObject({
      code: 'scorer_failed',
    });
  });

  it('are none for a workspace without models', async () => {
    const scorers = await loadScorers(workspaceOf(), surroundings().options);
    expect(scorers.get('tiny')).toBeUndefined();
    await scorers.close();
  });

  it('do not load at all when one of them is unusable', async () => {
    const broken = { ...compiledModel(Buffer.from('broken'), ['a']), id: 'broken' };
    await expect(
      loadScorers(workspaceOf(compiledModel(root, ['a']), broken), surroundings().options),
    ).rejects.toMatchObject({ code: 'model_unusable', details: { model: 'broken' } });
  });

  it('count rows and failures, and complain once a minute', async () => {
    const { options, time, errors, total } = surroundings();
    const scorers = await loadScorers(workspaceOf(compiledModel(root, ['a'])), options);
    const scorer = scorers.get('tiny')!;
    await scorer.score(Float32Array.of(1, 2, 3), 3);
    const fail = () =>
      expect(scorer.score(Float32Array.of(-1), 1)).rejects.toMatchObject({ code: 'scorer_failed' });
    await fail();
    await fail();
    expect(errors).toEqual([
      'Model "tiny" gave no usable scores: row 0 got NaN, which is not a probability. A lower rung decides meanwhile.',
    ]);
    time.now += 60_000;
    await fail();
    expect(errors).toHaveLength(2);
    expect(await total('presage_scorer_rows_total')).toBe(3);
    expect(await total('presage_scorer_failures_total')).toBe(3);
    await scorers.close();
  });
});
