import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadWorkspace, WorkspaceError } from './index.ts';

const head = `version: 1
name: shop
tenants: { acme: {} }
events: closed
types:
  cart: { properties: { id: string, value: number } }
  order: { properties: { id: string } }
  view: {}
features: { views: { kind: count, of: view, window: 1h } }
placements: { top: {} }
actions: { a: { placements: [top], value: 1 } }
`;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-triggers-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(trigger: string, more = '') {
  await writeFile(join(folder, 'presage.yaml'), `${head}${more}triggers: { it: ${trigger} }\n`);
  return loadWorkspace(folder);
}

async function problemsOf(trigger: string, more = ''): Promise<string[]> {
  try {
    await load(trigger, more);
    return [];
  } catch (error) {
    if (!(error instanceof WorkspaceError)) throw error;
    return error.problems.map(({ message }) => message);
  }
}

describe('a trigger', () => {
  test.each([
    ['on an event', '{ on: view, when: views > 2, placement: top }', { kind: 'event', on: 'view' }],
    [
      'at the end of a session',
      '{ on: session_end, when: views > 2, placement: top }',
      { kind: 'session_end' },
    ],
    [
      'on a condition becoming true',
      '{ when: views > 2, placement: top }',
      { kind: 'condition', repeats: false, cooldownMs: 0 },
    ],
    [
      'while a condition holds',
      '{ when: views > 2, while: true, cooldown: 10m, placement: top }',
      { kind: 'condition', repeats: true, cooldownMs: 600_000 },
    ],
    [
      'of absence',
      '{ after: cart, where: event.value > 5, absent: [order], within: 10m, same: id, when: views > 0, placement: top }',
      { kind: 'absence', after: 'cart', absent: new Set(['order']), withinMs: 600_000, same: 'id' },
    ],
  ])('%s', async (_, text, compiled) => {
    const { triggers, triggersByType } = await load(text);
    expect(triggers).toMatchObject([{ name: 'it', ...compiled }]);
    expect([...triggersByType.keys()]).toEqual(compiled.kind === 'event' ? ['view'] : []);
  });

  test.each([
    ['{ placement: top }', 'expected what starts it: on, after (with absent and within), or when'],
    ['{ on: view, cooldown: 1m, placement: top }', 'a trigger on an event has no cooldown; it has on, when'],
    [
      '{ on: session_end, within: 1m, placement: top }',
      'a trigger at the end of a session has no within; it has on, when',
    ],
    [
      '{ after: cart, within: 1m, placement: top }',
      'a trigger of absence needs after, absent, within: absent is missing',
    ],
    [
      '{ when: views > 1, while: true, placement: top }',
      'expected a cooldown too: without one every event would start a decision',
    ],
    [
      '{ after: cart, absent: cart, within: 1m, placement: top }',
      'expected another event type than after: each "cart" begins the wait anew',
    ],
    [
      '{ after: cart, absent: order, within: 1s, placement: top }',
      'expected at least the delay of timers, 5s, but found "1s"',
    ],
    [
      '{ after: cart, absent: order, within: 1m, same: value, placement: top }',
      'expected a property of "order" but found "value": declare it under types.order.properties, or read another',
    ],
    ['{ after: "*", absent: order, within: 1m, placement: top }', 'expected one event type but found "*"'],
    [
      '{ after: cart, absent: $outcome, within: 1m, placement: top }',
      "expected an event that subjects send but found one of the engine's own",
    ],
  ])('that makes no sense is told of: %s', async (text, message) => {
    expect(await problemsOf(text)).toEqual([message]);
  });

  test('reads no event where there is none', async () => {
    for (const text of [
      '{ on: session_end, when: event.value > 1, placement: top }',
      '{ when: event.value > 1, placement: top }',
      '{ after: cart, absent: order, within: 1m, when: event.value > 1, placement: top }',
    ])
      expect(await problemsOf(text)).toHaveLength(1);
    const reads = '{ after: cart, where: views > 1, absent: order, within: 1m, placement: top }';
    expect(await problemsOf(reads)).toHaveLength(1);
  });

  test('never waits longer than subjects are remembered', async () => {
    const text = '{ after: cart, absent: order, within: 2h, placement: top }';
    expect(await problemsOf(text, 'state: { ttl: 1h }\n')).toEqual([
      'expected subjects to be remembered for longer than this wait and the delay of timers: state.ttl is 1h, at least 7205s is needed',
    ]);
    expect(await problemsOf(text, 'state: { ttl: 1d }\ntimers: { delay: 1m }\n')).toEqual([]);
    const end = await problemsOf('{ on: session_end, placement: top }', 'state: { ttl: 1m }\n');
    expect(end).toHaveLength(1);
  });
});
