import { createHash } from 'node:crypto';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ManifestInput } from '../schemas/index.ts';
import { mostModelBytes } from './files.ts';
import { loadWorkspace } from './load.ts';
import { inputsHash } from './manifest.ts';
import { WorkspaceError } from './problems.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-manifest-'));
});
afterEach(() => rm(folder, { recursive: true }));

const text = (model = 'file: ranker.onnx', window = '1h', placement = 'model: ranker') => `
version: 1
name: shop
tenants: { acme: {} }
features:
  views: { kind: count, of: view, window: ${window} }
  looks: { kind: derived, expression: "views > 1.0", type: boolean }
placements: { top: { ${placement} } }
actions:
  first: { placements: [top], value: 1, attributes: { price: 3 } }
  second: { placements: [top], value: 1, caps: [{ per: session, limit: 1 }] }
triggers: { on_view: { on: view, placement: top } }
models:
  ranker: { ${model} }
  simple: { file: simple.onnx, inputs: [views] }
`;
const bytes = 'a model';
const inputs: readonly ManifestInput[] = [
  { name: 'views', type: 'number' },
  { name: 'looks', type: 'boolean' },
  { name: 'action.price', type: 'number' },
  { name: 'is.first', type: 'boolean' },
];
const manifest = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  manifest: 1,
  id: 'ranker',
  version: '2026-11-24',
  file: 'ranker.onnx',
  sha256: createHash('sha256').update(bytes).digest('hex'),
  inputs,
  inputsHash: inputsHash((changes.inputs as readonly ManifestInput[] | undefined) ?? inputs),
  missing: -1,
  defaults: { views: 2 },
  block: 16,
  output: { meaning: 'probability', of: 'accepted' },
  calibration: { kind: 'platt', a: 1, b: 0.5 },
  metrics: { log_loss: 0.3 },
  trained: { by: 'test', at: 3, from: 1, to: 2, rows: 100 },
  ...changes,
});

async function load(written: unknown, workspace = text()) {
  await writeFile(join(folder, 'ranker.onnx'), bytes);
  await writeFile(join(folder, 'simple.onnx'), bytes);
  if (written !== null)
    await writeFile(
      join(folder, 'ranker.manifest.json'),
      typeof written === 'string' ? written : JSON.stringify(written),
    );
  return loadWorkspace(folder, workspace);
}

async function refusal(written: unknown, workspace?: string): Promise<string> {
  const error = await load(written, workspace).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(WorkspaceError);
  return (error as WorkspaceError).message;
}

describe('a manifest beside a model', () => {
  test('says what the workspace leaves out', async () => {
    const model = (await load(manifest())).models.get('ranker');
    expect(model).toMatchObject({
      version: '2026-11-24',
      inputs: ['views', 'looks', 'action.price', 'is.first'],
      missing: -1,
      defaults: { views: 2 },
      block: 16,
      calibration: { kind: 'platt', a: 1, b: 0.5 },
    });
  });

  test('is part of the hash of the workspace and of the policy', async () => {
    const one = await load(manifest());
    const two = await load(manifest({ calibration: { kind: 'platt', a: 1, b: 0.6 } }));
    expect(one.hash).not.toBe(two.hash);
    expect(one.placements.get('top')?.policy).not.toBe(two.placements.get('top')?.policy);
  });

  test('may be left out where the workspace says it all', async () => {
    const { models } = await load(null, text('file: ranker.onnx, inputs: [views]'));
    expect(models.get('ranker')).toMatchObject({ version: '1', missing: 0, defaults: {}, block: 32 });
    expect(models.get('ranker')).not.toHaveProperty('calibration');
    expect(await refusal(null).catch((error) => String(error))).toContain('expected inputs, or a manifest');
  });

  test.each<[string, Record<string, unknown>, string]>([
    [
      'another file',
      { sha256: 'a'.repeat(64) },
      'describes a file with SHA-256 aaaaaaaaaaaa but this one has',
    ],
    ['another model', { id: 'other' }, 'is of a model "other", not of "ranker"'],
    ['another name of the file', { file: 'b.onnx' }, 'describes "b.onnx", not "ranker.onnx"'],
    ['inputs changed by hand', { inputsHash: 'x' }, 'was changed by hand'],
    ['a feature that is not there', { inputs: [{ name: 'viws', type: 'number' }], defaults: {} }, '"viws"'],
    [
      'a number that is a boolean here',
      { inputs: [{ name: 'looks', type: 'number' }], defaults: {} },
      'has "looks" as a number, but here it is a boolean',
    ],
    [
      'a boolean that is a number here',
      { inputs: [{ name: 'views', type: 'boolean' }] },
      'has "views" as a boolean, but here it is a number',
    ],
    [
      'rows of another length',
      { quantised: { file: 'q.onnx', sha256: 'a'.repeat(64), bound: 0.01, rows: [[1]] } },
      'has rows of another length',
    ],
    ['a path that leads away', { file: '../ranker.onnx' }, 'the name of a file beside the manifest'],
    [
      'a calibration that falls',
      { calibration: { kind: 'isotonic', x: [0, 1], y: [1, 0] } },
      'does not fall',
    ],
    ['a field of its own', { extra: 1 }, 'extra'],
    ['defaults of no input', { defaults: { view: 1 } }, 'one of the model\'s inputs but found "view"'],
  ])('with %s is refused', async (_, changes, words) => {
    expect(await refusal(manifest(changes))).toContain(words);
  });

  test.each([['not json'], ['[]'], ['null'], [`{"manifest":1,"x":"${'y'.repeat(5_000_000)}"}`]])(
    'that is none is refused (%#)',
    async (written) => {
      expect(await refusal(written)).toMatch(/"ranker.manifest.json"/);
    },
  );

  test('is refused where the workspace says something else, and taken where it says the same', async () => {
    expect(await refusal(manifest(), text('file: ranker.onnx, block: 8'))).toContain(
      'says 16; leave block out',
    );
    expect(await refusal(manifest(), text('file: ranker.onnx, inputs: [views]'))).toContain(
      'has other inputs',
    );
    await load(manifest(), text('file: ranker.onnx, block: 16, version: "2026-11-24"'));
  });

  test('holds the model to the definition of its features', async () => {
    const { features } = await load(manifest());
    const definition = features.find(({ name }) => name === 'views')?.hash;
    const [views, ...others] = inputs;
    const written = manifest({ inputs: [{ ...views, definition }, ...others] });
    await load(written);
    expect(await refusal(written, text('file: ranker.onnx', '2h'))).toContain(
      'was trained with another definition of "views"',
    );
  });

  test('does not make a model of any size one that is read', async () => {
    await load(manifest());
    await truncate(join(folder, 'ranker.onnx'), mostModelBytes + 1);
    await expect(loadWorkspace(folder, text())).rejects.toThrow('expected a model of at most');
  });
});

describe('the ladder of a placement', () => {
  const ladder = (placement: string) => load(manifest(), text(undefined, undefined, placement));
  test('names a cheaper model, models that watch, and the action of last resort', async () => {
    const top = (await ladder('model: ranker, fallback: simple, default: first')).placements.get('top');
    expect(top).toMatchObject({ fallback: { id: 'simple' }, defaultAction: { name: 'first' } });
    const watched = (await ladder('model: ranker, shadows: [simple]')).placements.get('top');
    expect(watched?.shadows?.map(({ id }) => id)).toEqual(['simple']);
    expect(watched?.policy).toBe((await ladder('model: ranker')).placements.get('top')?.policy);
    expect(top?.policy).not.toBe(watched?.policy);
  });

  test.each([
    ['fallback: simple', 'expected a model above it'],
    ['model: ranker, fallback: ranker', 'expected another model than "ranker"'],
    ['model: ranker, fallback: simpel', '"simpel"'],
    ['model: ranker, shadows: [ranker]', 'expected each model once'],
    ['default: none', 'expected an action that can be shown in "top" but found "none"'],
    ['default: second', 'needs nothing known of the subject but "second" has caps'],
  ])('{ %s } is refused', async (placement, words) => {
    await expect(ladder(placement)).rejects.toThrow(words);
  });
});
