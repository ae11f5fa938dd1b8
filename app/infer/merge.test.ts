import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../tests/support/program.ts';
import { mergeProposals } from './merge.ts';
import { emptyProfile, observe } from './profile.ts';
import { propose } from './propose.ts';

const example = (name: string): string => readFileSync(join(root, 'examples', name, 'presage.yaml'), 'utf8');
type Event = readonly [type: string, properties: Record<string, unknown>];

function proposalsFor(text: string, events: readonly Event[]) {
  const profile = emptyProfile();
  for (const [type, properties] of events) observe(profile, type, properties);
  const declared = Object.entries((parse(text)?.types ?? {}) as Record<string, object | null>);
  return propose(
    profile,
    Object.fromEntries(
      declared.map(([name, type]) => [name, { properties: {}, required: [], lateness: '1h', ...type }]),
    ) as never,
  );
}
const merge = (text: string, ...events: Event[]) => mergeProposals(text, proposalsFor(text, events));

describe('adding proposals to a workspace', () => {
  it('puts new types behind the others, before the comments of what comes next', () => {
    const text =
      'version: 1\ntypes:\n  page:\n    description: A page. # opened\n\n# ---- features\nfeatures: {}\n';
    expect(merge(text, ['wish', { sku: 'a', price: 2 }]).text).toBe(
      `version: 1\ntypes:\n  page:\n    description: A page. # opened\n  # 1 seen\n  wish:\n    properties:\n      price: number # in 100%; always 2\n      sku: string # in 100%; e.g. "a"; an id?\n\n# ---- features\nfeatures: {}\n`,
    );
  });

  it.each([
    ['no types', 'version: 1\n'],
    ['empty types', 'version: 1\ntypes: {}\nname: x\n'],
    ['types without a value', 'version: 1\ntypes:\nname: x\n'],
    ['wider indentation', 'types:\n      page:\n          properties: {}\n'],
    ['no newline at the end', 'types:\n  page: {}'],
  ])('%s', (_, text) => {
    const { text: merged, added } = merge(text, ['wish', { sku: 'a' }]);
    expect(added).toEqual(['wish']);
    expect(parse(merged)).toEqual({
      ...parse(text),
      types: { ...parse(text).types, wish: { properties: { sku: 'string' } } },
    });
  });

  it.each([
    [
      'in braces',
      'types:\n  a: { properties: { x: number } }\n',
      'types:\n  a: { properties: { x: number, size: string } }\n',
    ],
    [
      'in empty braces',
      'types:\n  a: { properties: {} }\n',
      'types:\n  a: { properties: { size: string } }\n',
    ],
    [
      'none yet, in braces',
      'types:\n  a: { required: [] }\n',
      'types:\n  a: { required: [], properties: { size: string } }\n',
    ],
    [
      'in lines',
      'types:\n  a:\n    properties:\n      x: number # cm\n    required: []\n',
      'types:\n  a:\n    properties:\n      x: number # cm\n      size: string # in 100%; e.g. "v"\n    required: []\n',
    ],
    [
      'none yet, in lines',
      'types:\n  a:\n    description: d\n',
      'types:\n  a:\n    description: d\n    properties:\n      size: string # in 100%; e.g. "v"\n',
    ],
  ])('properties of a declared type, %s', (_, text, expected) => {
    expect(merge(text, ['a', { size: 'v' }]).text).toBe(expected);
  });

  it('leaves properties alone that several types share', () => {
    const text = 'types:\n  a: { properties: &all { x: number } }\n  b: { properties: *all }\n';
    const merged = merge(text, ['a', { x: 1, y: 1 }], ['b', { x: 1, z: 1 }]);
    expect(merged).toMatchObject({
      text,
      added: [],
      skipped: [expect.stringContaining('a: y'), expect.stringContaining('b: z')],
    });
  });

  it('changes no other line of a real workspace, and declares what it says, whatever the names and values', () => {
    const name = fc.oneof(
      fc.constantFrom(
        'sku',
        'price',
        'yes',
        'null',
        '1',
        'a b',
        'a: b',
        '#x',
        "it's",
        '"q"',
        '- x',
        '{',
        'é',
        '\u2028',
      ),
      fc
        .string({ minLength: 1, maxLength: 8, unit: 'binary' })
        .filter((text) => !/[\p{Cs}\p{Cc}\ufeff\ufffe\uffff]/u.test(text)),
    );
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.nat()),
    );
    const event = fc.tuple(
      fc.oneof(fc.constantFrom('product_viewed', 'page', 'search'), name),
      fc.dictionary(name, value, { maxKeys: 4 }).map((properties) => ({ ...properties })),
    );
    const text = example('shop');
    const lines = text.split('\n');
    const before = parse(text);
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 5 }), (events) => {
        const proposals = proposalsFor(text, events);
        const { text: merged, skipped } = mergeProposals(text, proposals);
        expect(skipped).toEqual([]);
        const after = parse(merged);
        const types = { ...before.types };
        for (const { type, isDeclared, properties, required } of proposals) {
          const certain = properties.flatMap(({ name, type }) => (type === null ? [] : [[name, type]]));
          if (certain.length === 0 && isDeclared) continue;
          const known = {
            ...types[type],
            properties: { ...types[type]?.properties, ...Object.fromEntries(certain) },
          };
          types[type] = isDeclared
            ? known
            : { ...(certain.length > 0 ? known : {}), ...(required.length > 0 ? { required } : {}) };
        }
        expect(after).toEqual({ ...before, types });
        // Lines in braces grow; all others are as they were, in their order.
        let at = 0;
        for (const line of lines) {
          const grown = line.replace(/ \}$/, '');
          const found = merged
            .split('\n')
            .slice(at)
            .findIndex((other) => other === line || (line !== grown && other.startsWith(grown)));
          expect(found, line).not.toBe(-1);
          at += found + 1;
        }
      }),
      { numRuns: 60 },
    );
  });
});
