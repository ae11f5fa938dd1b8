import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadWorkspace, type WorkspaceError } from './index.ts';

const day = 86_400_000;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-ttl-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function ttlOf(more: string): Promise<number> {
  const head = 'version: 1\nname: shop\ntenants: { acme: {} }\nplacements: { top: {} }\n';
  await writeFile(join(folder, 'presage.yaml'), `${head}${more}\n`);
  return (await loadWorkspace(folder)).stateTtlMs;
}

describe('a subject is remembered', () => {
  test.each([
    ['a year after its last event', '', 365 * day],
    ['as long as the workspace says', 'state: { ttl: 90d }', 90 * day],
    ['as long as the longest window', 'features: { v: { kind: count, of: view, window: 400d } }', 400 * day],
    [
      'as long as the longest sequence',
      'features: { v: { kind: sequence, steps: [{ of: a }, { of: b }], within: 1h, window: 500d } }',
      500 * day,
    ],
    ['as long as repeats are known', 'deduplication: { window: 366d }', 366 * day],
    [
      'until what it waits for is due',
      'triggers: { w: { after: a, absent: b, within: 370d, placement: top } }',
      370 * day + 5_000,
    ],
    ['until its session is over', 'session: { gap: 380d }', 380 * day + 5_000],
  ])('%s', async (_, more, ttlMs) => {
    expect(await ttlOf(more)).toBe(ttlMs);
  });

  test('for a hundred years at most', async () => {
    const problems = await ttlOf('state: { ttl: 36501d }').catch((error: WorkspaceError) => error.problems);
    expect(problems).toMatchObject([{ message: 'expected at most 36500d but found 36501d' }]);
  });
});
