import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CompiledWorkspace, loadWorkspace, WorkspaceError } from './index.ts';

const head = `version: 1
name: shop
events: closed
tenants: { acme: {} }
types:
  order: { properties: { total: number, order_id: string, offer: string } }
`;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-outcomes-'));
});
afterAll(() => rm(folder, { recursive: true }));

const load = (text: string): Promise<CompiledWorkspace> => loadWorkspace(folder, head + text);
const problemsOf = async (metrics: string): Promise<string[]> => {
  const error = await load(`outcomes: { metrics: { ${metrics} } }\n`).catch((caught: unknown) => caught);
  return error instanceof WorkspaceError
    ? error.problems.map(({ path, message }) => `${path}: ${message}`)
    : [];
};

describe('outcomes', () => {
  test('have defaults where a workspace says nothing of them, and its hash is what it was', async () => {
    const silent = await load('');
    expect(silent.outcomes).toEqual({ timeoutMs: 1_800_000, windowMs: 604_800_000, scale: 2, metrics: [] });
    expect(silent.source.outcomes).toBeUndefined();
  });

  test('a metric takes the common window, and waits as long as that', async () => {
    const { outcomes } = await load(
      'outcomes: { window: 2d, metrics: { purchase: { of: order, where: event.total > 0, value: total, once_per: order_id, decision: offer } } }\n',
    );
    expect(outcomes.metrics).toMatchObject([
      {
        name: 'purchase',
        types: ['order'],
        where: { text: 'event.total > 0' },
        value: 'total',
        scale: 2,
        oncePer: 'order_id',
        decision: 'offer',
        windowMs: 172_800_000,
        timeoutMs: 172_800_000,
      },
    ]);
  });

  test.each([
    [
      'accepted: { of: order }',
      'outcomes.metrics.accepted: expected another name: "accepted" is an outcome that every decision can have',
    ],
    ['sale: { of: "*" }', 'outcomes.metrics.sale.of: expected event types by name but found "*"'],
    [
      'sale: { of: $outcome }',
      "outcomes.metrics.sale.of: expected an event that subjects send but found one of the engine's own",
    ],
    [
      'sale: { of: [orders] }',
      'outcomes.metrics.sale.of[0]: expected a declared event type (events are closed) but found "orders"',
    ],
    [
      'sale: { of: order, value: offer }',
      'outcomes.metrics.sale.value: expected a property that is a number but "order" declares "offer" as string',
    ],
    [
      'sale: { of: order, window: 1d, timeout: 2d }',
      'outcomes.metrics.sale.timeout: expected at most the window, 1d, after which nothing counts, but found 2d',
    ],
  ])('%s is refused', async (metrics, problem) => {
    expect(await problemsOf(metrics)).toEqual([problem]);
  });

  test('are at most 16 metrics', async () => {
    const many = Array.from({ length: 17 }, (_, index) => `m${index}: { of: order }`).join(', ');
    expect(await problemsOf(many)).toEqual(['outcomes.metrics: expected at most 16 metrics but found 17']);
  });
});
