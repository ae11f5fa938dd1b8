import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadWorkspace } from '../../workspace/index.ts';
import { readEnvironment } from '../environment.ts';
import { inferCommand } from './infer.ts';

const workspace = `# ours
version: 1
name: shop
tenants: { shop: {} }
types:
  view: { properties: { price: number } } # the oldest
`;
const events = [
  { type: 'view', userId: 'ann', time: 1_700_000_000_000, properties: { price: 1, size: 'L' } },
  { type: 'wish', userId: 'ann', time: 1_700_000_000_000, properties: { sku: 'a' } },
];

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-infer-'));
  file = join(folder, 'events.jsonl');
  await writeFile(join(folder, 'presage.yaml'), workspace);
  await writeFile(file, events.map((event) => JSON.stringify(event)).join('\n'));
});
afterEach(() => rm(folder, { recursive: true }));

async function run(...args: string[]): Promise<{ out: string; err: string }> {
  const result = { out: '', err: '' };
  const program = new Command('presage').exitOverride();
  inferCommand(program, {
    environment: readEnvironment({ XDG_STATE_HOME: folder }),
    out: (text) => {
      result.out += `${text}\n`;
    },
    err: (text) => {
      result.err += `${text}\n`;
    },
    bytes: () => {},
    setExitCode: () => {},
  });
  await program.parseAsync(['infer', ...args, '-w', folder], { from: 'user' });
  return result;
}

describe('presage infer', () => {
  it('prints what to paste, and how many events it has looked at', async () => {
    const { out, err } = await run(file);
    expect(err).toBe(`2 events in ${file}.\n`);
    expect(out).toBe(
      'types:\n  # 1 seen, declared already: what it lacks\n  view:\n    properties:\n      size: string # in 100%; e.g. "L"\n  # 1 seen\n  wish:\n    properties:\n      sku: string # in 100%; e.g. "a"; an id?\n',
    );
  });

  it('--write adds it to presage.yaml, and has nothing to add the second time', async () => {
    expect((await run(file, '--write')).out).toContain('wish, view.size');
    expect(await readFile(join(folder, 'presage.yaml'), 'utf8')).toBe(
      `${workspace.replace('price: number', 'price: number, size: string').trimEnd()}\n  # 1 seen\n  wish:\n    properties:\n      sku: string # in 100%; e.g. "a"; an id?\n`,
    );
    expect([...(await loadWorkspace(folder)).types.keys()]).toEqual(['view', 'wish']);
    expect((await run(file, '--write')).out).toBe('Nothing to add.\n');
    expect((await run(file)).err).toContain('Every event and property is declared already.');
  });

  it('a workspace that would no longer load is put back', async () => {
    const closed = `${workspace}features:\n  n: { kind: count, of: view, window: 1h, where: event.size > 2 }\n`;
    await writeFile(join(folder, 'presage.yaml'), closed);
    await expect(run(file, '--write')).rejects.toMatchObject({ code: 'workspace_invalid' });
    expect(await readFile(join(folder, 'presage.yaml'), 'utf8')).toBe(closed);
  });

  it('says what is missing', async () => {
    await expect(run()).rejects.toMatchObject({ code: 'usage' });
    await expect(run(file, '--events')).rejects.toMatchObject({ code: 'usage' });
    await writeFile(file, 'a,b\n1,2\n');
    await expect(run(file)).rejects.toMatchObject({
      code: 'file_unreadable',
      message: expect.stringContaining('--map'),
    });
  });
});
