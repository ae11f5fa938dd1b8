import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../../tests/support/program.ts';
import { readEnvironment } from '../environment.ts';
import { schemasCommand } from './schemas.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-schemas-'));
  await workspaceOf('{ price: number, sku: string }');
});
afterEach(() => rm(folder, { recursive: true }));

async function workspaceOf(properties: string, rest = '', events = 'open'): Promise<void> {
  await writeFile(
    join(folder, 'presage.yaml'),
    `version: 1\nname: shop\nevents: ${events}\ntenants: { shop: {} }\ntypes:\n  product_added: { properties: ${properties}${rest} }\n  page: {}\n`,
  );
}

async function run(...args: string[]): Promise<{ out: string; err: string; code: number }> {
  const result = { out: '', err: '', code: 0 };
  const program = new Command('presage').exitOverride();
  schemasCommand(program, {
    environment: readEnvironment({}),
    out: (text) => {
      result.out += `${text}
`;
    },
    err: (text) => {
      result.err += `${text}
`;
    },
    bytes: () => {},
    setExitCode: (code) => {
      result.code = code;
    },
  });
  await program.parseAsync(['schemas', ...args, '-w', folder], { from: 'user' });
  return result;
}
const snapshot = async () =>
  JSON.parse(await readFile(join(folder, 'schemas', 'shop.product_added.json'), 'utf8'));

describe('presage schemas', () => {
  it('generate writes one file for each type, and check finds nothing to say of it', async () => {
    expect((await run('generate')).out).toContain('shop.product_added.json: version 1');
    expect(await snapshot()).toMatchObject({
      type: 'product_added',
      name: 'shop.product_added',
      versions: [{ title: 'shop.product_added' }],
    });
    expect(await run('check', '--up-to-date')).toMatchObject({
      code: 0,
      out: 'Compatible (BACKWARD): 3 unchanged.\n',
    });
    expect((await run('generate')).out).toMatch(/^3 unchanged/);
  });

  it('check refuses a retyped property with the field and the reason, and generate does not write it', async () => {
    await run('generate');
    await workspaceOf('{ price: string, sku: string }');
    const refused = await run('check');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(
      'shop.product_added: properties.price: was number or null and is now string or null',
    );
    const json = JSON.parse((await run('check', '--json')).out);
    expect(json).toMatchObject({ ok: false });
    expect(json.findings).toContainEqual(
      expect.objectContaining({
        name: 'shop.product_added',
        problems: [expect.objectContaining({ path: 'properties.price', rule: 'type_changed' })],
      }),
    );
    expect((await run('generate')).code).toBe(1);
    expect((await snapshot()).versions).toHaveLength(1);
    expect((await run('generate', '--compatibility', 'NONE')).code).toBe(0);
    expect((await snapshot()).versions).toHaveLength(2);
  });

  it.each([
    [
      'a new optional property',
      '{ price: number, sku: string, size: number }',
      '',
      { BACKWARD: 0, FORWARD: 1, FULL: 1 },
    ],
    ['a property that is gone', '{ price: number }', '', { BACKWARD: 1, FORWARD: 0, FULL: 1 }],
    [
      'a property that is required now',
      '{ price: number, sku: string }',
      ', required: [sku]',
      { BACKWARD: 1, FORWARD: 0, FULL: 1 },
    ],
  ])('%s', async (_, properties, rest, codes) => {
    await run('generate');
    await workspaceOf(properties, rest);
    for (const [level, code] of Object.entries(codes)) {
      expect((await run('check', '--compatibility', level)).code, level).toBe(code);
    }
    expect((await run('check', '--compatibility', 'NONE')).code).toBe(0);
  });

  it('remembers versions, so that a transitive check looks further back', async () => {
    await workspaceOf('{ price: number, sku: string }', ', required: [price]');
    await run('generate');
    await workspaceOf('{ sku: string }');
    await run('generate', '-c', 'NONE');
    await workspaceOf('{ sku: string, price: string }');
    expect((await run('check', '-c', 'BACKWARD')).code).toBe(0);
    const refused = await run('check', '-c', 'BACKWARD_TRANSITIVE');
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('version 1') });
  });

  it('a compatible change that is not committed fails only when it is asked to be up to date', async () => {
    await run('generate');
    await workspaceOf('{ price: number, sku: string, size: number }');
    expect(await run('check')).toMatchObject({
      code: 0,
      err: expect.stringContaining('shop.product_added. Run "presage schemas generate"'),
    });
    expect((await run('check', '--up-to-date')).code).toBe(1);
  });

  it('a type that is gone is refused where the workspace is closed', async () => {
    await run('generate');
    const closed = (events: string) =>
      writeFile(
        join(folder, 'presage.yaml'),
        `version: 1\nname: shop\nevents: ${events}\ntenants: { shop: {} }\ntypes:\n  page: {}\n`,
      );
    await closed('closed');
    expect(await run('check')).toMatchObject({
      code: 1,
      err: expect.stringContaining('shop.product_added: is no longer declared'),
    });
    await closed('open');
    expect((await run('check')).code).toBe(0);
    await run('generate');
    await expect(snapshot()).rejects.toThrow('ENOENT');
  });

  it('says what is missing or broken in one sentence', async () => {
    await expect(run('check')).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('There is no snapshot'),
    });
    await expect(run('check', '--registry')).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('SCHEMA_REGISTRY_URL'),
    });
    await run('generate');
    await writeFile(join(folder, 'schemas', 'shop.page.json'), '{}');
    await expect(run('check')).rejects.toMatchObject({
      code: 'snapshot_unreadable',
      message: expect.stringContaining('shop.page.json'),
    });
  });

  it.each([
    ['TopicRecordNameStrategy', ['clicks-shop.product_added', 'clicks-shop.page', 'clicks-presage.event']],
    ['RecordNameStrategy', ['shop.product_added', 'shop.page', 'presage.event']],
    ['TopicNameStrategy', ['clicks-value']],
  ])('%s names the subjects', async (strategy, subjects) => {
    const { out } = await run('generate', '--print', '--strategy', strategy, '--topic', 'clicks');
    expect(Object.keys(JSON.parse(out))).toEqual(subjects);
  });
});

describe('the examples', () => {
  it.each(['shop', 'travel'])('%s: its committed schemas are those of its workspace', async (example) => {
    await cp(join(root, 'examples', example), folder, { recursive: true, force: true });
    expect(await run('check', '--up-to-date')).toMatchObject({ code: 0, err: '' });
  });
});
