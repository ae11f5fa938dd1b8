import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { compiledModel, greedyModel, tinyModel, turningModel } from '../tests/support/onnx-models.ts';
import { silentLogger } from '../tests/support/silence.ts';
import type { CompiledModel } from '../workspace/index.ts';
import { loadScorers } from './load.ts';
import { scorerMetrics } from './metrics.ts';
import { openInProcess, processLimits } from './process-runtime.ts';

const inputs = ['a', 'b', 'c'];
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const load = (model: CompiledModel, runMs = 60_000, megabytes = 1_536) =>
  loadScorers(
    { models: new Map([[model.id, model]]) },
    {
      clock,
      logger: silentLogger(),
      metrics: scorerMetrics(new Registry()),
      limits: { ...processLimits, runMs, residentBytes: megabytes * 1_048_576 },
    },
  );

const graph = (
  nodes: Parameters<typeof tinyModel>[0]['nodes'],
  constants: Parameters<typeof tinyModel>[0]['constants'] = {},
) =>
  tinyModel({
    inputs: [{ name: 'rows', shape: ['n', 3] }],
    outputs: [{ name: 'p', shape: ['n', 1] }],
    constants,
    nodes,
  });
const last = { op: 'Sigmoid', from: ['x'], to: ['p'] };

describe('a hostile model', () => {
  it('that never ends is ended, and refused', async () => {
    const endless = compiledModel(turningModel(1e15), inputs);
    await expect(load(endless, 1_000)).rejects.toMatchObject({
      code: 'model_unusable',
      message: expect.stringContaining('it did not end within 1000 ms'),
    });
  });

  it('that takes all memory is ended, and refused', async () => {
    const greedy = compiledModel(greedyModel(1_500), inputs);
    await expect(load(greedy, 60_000, 400)).rejects.toMatchObject({
      code: 'model_unusable',
      message: expect.stringMatching(
        /takes more than 400 MiB of memory|Failed to allocate|ended with SIGKILL/,
      ),
    });
  });

  it.each([
    ['an operator of its own', graph([{ op: 'Own', domain: 'elsewhere', from: ['rows'], to: ['p'] }])],
    [
      'enormous dimensions',
      graph([{ op: 'MatMul', from: ['rows', 'w'], to: ['x'] }, last], {
        w: { shape: [3_000_000_000, 3_000_000_000], values: [1] },
      }),
    ],
    [
      'dimensions below nothing',
      graph([{ op: 'MatMul', from: ['rows', 'w'], to: ['x'] }, last], {
        w: { shape: [-3, 1], values: [1, 2, 3] },
      }),
    ],
    ['noise for weights', Buffer.from('\x08\x08:\xff\xff\xff\xff\x0f'.repeat(1_000), 'latin1')],
  ])('with %s is refused', async (_, bytes) => {
    await expect(load(compiledModel(bytes, inputs))).rejects.toMatchObject({ code: 'model_unusable' });
  });

  it.each(['weights.bin', '/etc/hostname', '../weights.bin'])(
    'that keeps its weights in %s is refused before anything opens that',
    async (file) => {
      const external = compiledModel(
        graph([{ op: 'MatMul', from: ['rows', 'w'], to: ['x'] }, last], {
          w: { shape: [3, 1], values: [], file },
        }),
        inputs,
      );
      if (!file.includes('/')) writeFileSync(join(dirname(external.path), file), Buffer.alloc(12));
      await expect(load(external)).rejects.toThrow('keeps its weights in a second file');
    },
  );

  it('whose every byte may be wrong never ends the program', async () => {
    const good = graph([{ op: 'MatMul', from: ['rows', 'w'], to: ['x'] }, last], {
      w: { shape: [3, 1], values: [1, 2, 3] },
    });
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const outcomes = new Set<string>();
    for (let n = 0; n < 12; n++) {
      const bytes = Uint8Array.from(good);
      for (let change = 0; change <= n % 3; change++) bytes[random(bytes.length)] = random(256);
      const outcome = await load(compiledModel(bytes, inputs)).then(
        async (scorers) => {
          await scorers.close();
          return 'loaded';
        },
        (error: { code?: string }) => error.code,
      );
      outcomes.add(outcome ?? 'no code');
    }
    expect([...outcomes].filter((one) => one !== 'loaded' && one !== 'model_unusable')).toEqual([]);
  });
});

describe('a model in a process of its own', () => {
  const open: Awaited<ReturnType<typeof openInProcess>>[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.release()));
  });
  const rows = Float32Array.of(1, 2, 3);

  it('is made anew after its process was killed, and gives the same scores', async () => {
    const runtime = await openInProcess(turningModel(4));
    open.push(runtime);
    const call = () => runtime.run('rows', rows, [1, 3], 'p');
    const first = (await call())?.data;
    expect(first?.[0]).toBeCloseTo(1 / (1 + Math.exp(-1.4)), 5);
    const before = runtime.pid();
    process.kill(before ?? 0, 'SIGKILL');
    await expect
      .poll(
        () =>
          call().then(
            (value) => value?.data?.[0] ?? null,
            () => null,
          ),
        { timeout: 60_000 },
      )
      .toBe(first?.[0]);
    expect(runtime.pid()).not.toBe(before);
  });

  it('that hangs is ended, and the next call has another', async () => {
    const runtime = await openInProcess(turningModel(4));
    open.push(runtime);
    await runtime.run('rows', rows, [1, 3], 'p');
    const before = runtime.pid();
    process.kill(before ?? 0, 'SIGSTOP');
    runtime.limitCalls(200);
    await expect(runtime.run('rows', rows, [1, 3], 'p')).rejects.toThrow('did not end within 200 ms');
    runtime.limitCalls(60_000);
    expect((await runtime.run('rows', rows, [1, 3], 'p'))?.data).toHaveLength(1);
    expect(runtime.pid()).not.toBe(before);
    await expect.poll(() => isThere(before ?? 0), { timeout: 60_000 }).toBe(false);
  });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
