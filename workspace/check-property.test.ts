import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatProblem, loadWorkspace, WorkspaceError } from './index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-properties-'));
});
afterAll(() => rm(folder, { recursive: true }));

const head = (events: 'open' | 'closed') => `version: 1
name: shop
events: ${events}
tenants: { acme: {} }
types:
  order: { properties: { total: number, number: string, gift: boolean, items: list, buyer: object } }
  visit: { properties: { total: string, page: string } }
  page: {}
placements: { top: {} }
actions: { help: { placements: [top], value: 1 } }
`;

/** What is said of one feature, with its place. */
async function problemsOf(definition: string, events: 'open' | 'closed' = 'open'): Promise<string[]> {
  return problemsIn(`features:\n  it: ${definition}\n`, events);
}

async function problemsIn(text: string, events: 'open' | 'closed' = 'open'): Promise<string[]> {
  try {
    await loadWorkspace(folder, head(events) + text);
    return [];
  } catch (error) {
    if (!(error instanceof WorkspaceError)) throw error;
    return error.problems.map((problem) => formatProblem(problem).slice(folder.length + 1));
  }
}

describe('a property that a declared type has not', () => {
  const lack = (path: string, type: string, property: string) =>
    `${path}: expected a property of "${type}" but found "${property}": declare it under types.${type}.properties, or read another.`;

  it.each([
    ['{ kind: sum, of: order, property: totl, window: 1h }', 'property', 'totl', ' Did you mean "total"?'],
    ['{ kind: last, of: order, property: url }', 'property', 'url', ''],
    ['{ kind: last_n, of: order, property: url, n: 2 }', 'property', 'url', ''],
    ['{ kind: distinct, of: order, property: url, window: 1h }', 'property', 'url', ''],
    ['{ kind: approx_distinct, of: order, property: url, window: 1d }', 'property', 'url', ''],
    ['{ kind: top_k, of: order, property: url, k: 2, window: 1d }', 'property', 'url', ''],
    ['{ kind: decay, of: order, property: url, half_life: 1h }', 'property', 'url', ''],
    ['{ kind: count, of: [visit, order], by: page, window: 1h }', 'by', 'page', ''],
    [
      '{ kind: sequence, steps: [{ of: visit }, { of: order }], same: page, within: 1m, window: 1h }',
      'same',
      'page',
      '',
    ],
  ])('is refused in %s, with file, line and what to do', async (definition, key, property, question) => {
    for (const events of ['open', 'closed'] as const) {
      const column = `  it: ${definition}`.indexOf(`${key}: ${property}`) + key.length + 3;
      expect(await problemsOf(definition, events)).toEqual([
        `presage.yaml:12:${column} ${lack(`features.it.${key}`, 'order', property)}${question}`,
      ]);
    }
  });

  it('is refused in conditions of features and triggers, where events are open too', async () => {
    const message =
      'no event type that is read here declares the property "totl": add it to the type\'s properties, or read another. Did you mean "event.total"?';
    expect(await problemsOf('{ kind: count, of: order, where: event.totl > 1, window: 1h }')).toEqual([
      `presage.yaml:12:40 features.it.where: ${message}`,
    ]);
    expect(
      await problemsIn('triggers:\n  it: { on: order, when: event.totl > 1, placement: top }\n'),
    ).toEqual([`presage.yaml:12:26 triggers.it.when: ${message}`]);
  });

  it('is refused where an absence needs it in both events', async () => {
    const absence = '{ after: visit, absent: order, within: 1m, same: page, placement: top }';
    expect(await problemsIn(`triggers:\n  it: ${absence}\n`)).toEqual([
      `presage.yaml:12:56 ${lack('triggers.it.same', 'order', 'page')}`,
    ]);
  });

  it.each([
    '{ kind: sum, of: signup, property: fee, window: 1h }',
    '{ kind: count, of: page, by: url, where: has(event.url), window: 1h }',
    '{ kind: sum, of: "*", property: fee, window: 1h }',
    '{ kind: count, of: "$outcome", by: outcome, window: 1h }',
  ])('is taken for there where nothing says what events have: %s', async (definition) => {
    expect(await problemsOf(definition)).toEqual([]);
  });

  it('is known to be nowhere where events are closed', async () => {
    const [problem] = await problemsOf('{ kind: sum, of: "*", property: fee, window: 1h }', 'closed');
    expect(problem).toContain('features.it.property: expected a property that some event type declares');
    expect(await problemsOf('{ kind: count, of: page, by: url, window: 1h }', 'closed')).toEqual([
      expect.stringContaining(lack('features.it.by', 'page', 'url')),
    ]);
  });
});

describe('a property that is of no use as it is declared', () => {
  it.each([
    ['{ kind: sum, of: order, property: number, window: 1h }', '"order" declares "number" as string'],
    ['{ kind: min, of: order, property: gift, window: 1h }', '"order" declares "gift" as boolean'],
    ['{ kind: max, of: [order, visit], property: total, window: 1h }', '"visit" declares "total" as string'],
    ['{ kind: mean, of: "*", property: page, window: 1h }', '"visit" declares "page" as string'],
    ['{ kind: decay, of: order, property: number, half_life: 1h }', '"order" declares "number" as string'],
    ['{ kind: last, of: order, property: number, type: number }', '"order" declares "number" as string'],
  ])('is refused where numbers are needed: %s', async (definition, found) => {
    expect(await problemsOf(definition)).toEqual([
      expect.stringContaining(`features.it.property: expected a property that is a number but ${found}.`),
    ]);
  });

  it.each([
    ['{ kind: last, of: order, property: items }', 'property', '"items" as list'],
    ['{ kind: distinct, of: order, property: buyer, window: 1h }', 'property', '"buyer" as object'],
    ['{ kind: count, of: order, by: items, window: 1h }', 'by', '"items" as list'],
  ])('is refused where values are told apart: %s', async (definition, key, found) => {
    expect(await problemsOf(definition)).toEqual([
      expect.stringContaining(
        `features.it.${key}: expected a property that is text, a number, or true or false but "order" declares ${found}.`,
      ),
    ]);
  });

  it.each([
    '{ kind: last, of: order, property: total }',
    '{ kind: count, of: order, by: gift, window: 1h }',
    // Of some types it is a number.
    '{ kind: sum, of: "*", property: total, window: 1h }',
  ])('numbers and booleans have texts: %s', async (definition) => {
    expect(await problemsOf(definition)).toEqual([]);
  });
});
