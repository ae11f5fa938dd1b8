import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDocument, stringify } from 'yaml';
import { loadWorkspace, WorkspaceError } from './index.ts';

const small = `version: 1
name: shop
tenants: { acme: { currency: EUR } }
types:
  viewed: { properties: { price: number, category: string }, required: [price] }
features:
  views: { kind: count, of: viewed, window: 1h, where: event.price > 5 }
  spent: { kind: sum, of: [viewed], property: price, window: 2h, by: category }
placements:
  banner: { expires: 5m }
actions:
  help:
    placements: [banner]
    eligible: views > 2 && spent["shoes"] > 10
    value: views * 2
    caps: [{ per: subject, limit: 1, window: 1d }]
triggers:
  viewed: { on: viewed, when: has(event.price), placement: banner }
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-garbage-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Loads a text: it works or every mistake has a place in the file. Anything else is a fault of ours. */
async function loadsOrSaysWhy(text: string): Promise<void> {
  await writeFile(join(folder, 'presage.yaml'), text);
  const lines = text.split('\n');
  try {
    await loadWorkspace(folder);
  } catch (error) {
    if (!(error instanceof WorkspaceError)) throw error;
    expect(error.problems.length).toBeGreaterThan(0);
    for (const { line, column, message } of error.problems) {
      expect(message).not.toMatch(/undefined|\[object|\n/);
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(lines.length);
      expect(column).toBeGreaterThanOrEqual(1);
      expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
    }
  }
}

describe('whatever stands in presage.yaml, loading it gives a workspace or a WorkspaceError', () => {
  test('random text', async () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'ab:-[]{}&*!|>"\'#%@, \n\t') }),
    );
    await fc.assert(fc.asyncProperty(text, loadsOrSaysWhy), { numRuns: 200 });
  });

  test('random values under the right keys', async () => {
    const keys = [
      'version',
      'name',
      'tenants',
      'types',
      'features',
      'actions',
      'triggers',
      'models',
      'feed',
      '__proto__',
    ];
    const member = fc.dictionary(fc.string(), fc.jsonValue());
    const document = fc.dictionary(fc.constantFrom(...keys), fc.oneof(fc.jsonValue(), member));
    await fc.assert(
      fc.asyncProperty(document, (value) => loadsOrSaysWhy(stringify(value))),
      { numRuns: 200 },
    );
  });

  test('a valid file with some characters changed', async () => {
    const edit = fc.record({
      at: fc.nat(small.length),
      removed: fc.nat(12),
      added: fc.oneof(
        fc.string({ maxLength: 6 }),
        fc.constantFrom('event', '(', ']', ': ', '\n', '- ', 'null', '1e999', '&a ', '*a'),
      ),
    });
    const edits = fc.array(edit, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(edits, (list) =>
        loadsOrSaysWhy(
          list.reduce(
            (text, { at, removed, added }) => text.slice(0, at) + added + text.slice(at + removed),
            small,
          ),
        ),
      ),
      { numRuns: 400 },
    );
  });

  test('a valid file with any one value replaced, removed or renamed', async () => {
    const paths = leaves(parseDocument(small).toJS() as object, []);
    const change = fc.record({
      path: fc.constantFrom(...paths),
      depth: fc.nat(3),
      value: fc.oneof(
        fc.jsonValue(),
        fc.constantFrom('__proto__', 'constructor', '-1', Number.NaN, 'a.b.c[0]', 'views'),
      ),
      how: fc.constantFrom('set', 'delete', 'rename'),
    });
    await fc.assert(
      fc.asyncProperty(change, ({ path, depth, value, how }) => {
        const document = parseDocument(small);
        const place = path.slice(0, Math.max(1, path.length - depth));
        if (how === 'set') document.setIn(place, value);
        const isKey = typeof place.at(-1) === 'string';
        if (how === 'rename' && isKey)
          document.setIn(
            [...place.slice(0, -1), typeof value === 'string' ? value : JSON.stringify(value)],
            document.getIn(place),
          );
        if (how !== 'set') document.deleteIn(place);
        return loadsOrSaysWhy(document.toString());
      }),
      { numRuns: 400 },
    );
  });

  test('an expression of any characters', async () => {
    const expression = fc.oneof(
      fc.string(),
      fc.string({
        unit: fc.constantFrom(
          'views',
          'event.price',
          'spent',
          '"a"',
          '1',
          '(',
          ')',
          '[',
          ']',
          '.',
          '&&',
          '||',
          '!',
          '-',
          '?',
          ':',
          ' ',
          ',',
          'has',
          'exists',
          'size',
          '{',
          '}',
          'in',
          'null',
        ),
      }),
    );
    await fc.assert(
      fc.asyncProperty(expression, (text) => {
        const document = parseDocument(small);
        document.setIn(['actions', 'help', 'eligible'], text);
        return loadsOrSaysWhy(document.toString());
      }),
      { numRuns: 400 },
    );
  });

  test('the file all of this starts from is valid', async () => {
    await writeFile(join(folder, 'presage.yaml'), small);
    await expect(loadWorkspace(folder)).resolves.toMatchObject({ name: 'shop' });
    expect(await readFile(join(folder, 'presage.yaml'), 'utf8')).toBe(small);
  });
});

function leaves(value: unknown, path: readonly (string | number)[]): (string | number)[][] {
  if (value === null || typeof value !== 'object') return [[...path]];
  return Object.entries(value).flatMap(([key, member]) =>
    leaves(member, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}
