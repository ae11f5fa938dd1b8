import { describe, expect, it } from 'vitest';
import type { SourceDefinition } from '../../schemas/index.ts';
import { workspaceSource } from '../../schemas/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { eventOfValue } from './map.ts';
import { recordOfSource } from './record.ts';

const now = Date.UTC(2026, 0, 2);
const place = { topic: 'orders', partition: 3, offset: 42, key: 'ann', time: now - 5_000 };

function sourceOf(changes: Partial<Record<keyof SourceDefinition, unknown>>): SourceDefinition {
  const { sources } = workspaceSource.parse({
    version: 1,
    name: 'w',
    tenants: { acme: {} },
    sources: { orders: { topic: 'orders', tenant: 'acme', ...changes } },
  });
  return sources.orders!;
}
const map = (changes: Partial<Record<keyof SourceDefinition, unknown>>, value: unknown) =>
  eventOfValue('orders', sourceOf(changes), value, place, now);

describe('a record of a source', () => {
  it('is an event as it stands where it has the usual fields', () => {
    const value = { id: 'e1', type: 'view', userId: 'ann', time: now - 9, properties: { price: 2 } };
    expect(map({}, value)).toEqual({
      ok: true,
      value: { v: 1, ...value, tenant: 'acme', source: 'source:orders' },
    });
  });

  it('takes its parts from where the workspace says, and its place as id where it has none', () => {
    const mapped = map(
      {
        type: 'order_placed',
        map: { user: 'customer.id', anonymous: '$key', time: 'at', properties: 'order', session: 'visit' },
      },
      { customer: { id: 7 }, at: '2026-01-01T12:00:00Z', order: { total: 9.5 }, visit: 's1' },
    );
    expect(mapped).toEqual({
      ok: true,
      value: {
        v: 1,
        id: 'orders/3/42',
        tenant: 'acme',
        type: 'order_placed',
        userId: '7',
        anonymousId: 'ann',
        session: 's1',
        time: Date.UTC(2026, 0, 1, 12),
        properties: { total: 9.5 },
        source: 'source:orders',
      },
    });
  });

  it("has the record's time and the whole value where nothing else is said", () => {
    const value = { userId: 'ann', total: 1 };
    expect(map({ type: 'order' }, value)).toMatchObject({
      ok: true,
      value: { time: place.time, properties: value },
    });
  });

  it.each([
    ['a list', {}, [1], 'wrong_type', 'value: expected object, got list.'],
    [
      'no type',
      {},
      { userId: 'a' },
      'wrong_type',
      'type: expected the name of an event type, got undefined.',
    ],
    ["one of the engine's types", {}, { type: '$control', userId: 'a' }, 'reserved_event_type', /\$control/],
    [
      "a move of somebody's state",
      {},
      { type: '$transfer', userId: 'a' },
      'reserved_event_type',
      /\$transfer/,
    ],
    ['an id that is no text', { type: 't' }, { userId: {} }, 'wrong_type', /userId: expected text/],
    ['an id that is too long', { type: 't' }, { userId: 'x'.repeat(257) }, 'id_too_long', /257/],
    ['no time', { type: 't' }, { userId: 'a', time: 'noon' }, 'bad_timestamp', /noon/],
    ['seconds as time', { type: 't' }, { userId: 'a', time: 1_700_000_000 }, 'time_out_of_range', /seconds/],
    ['properties that are none', { type: 't' }, { userId: 'a', properties: 3 }, 'wrong_type', /properties/],
    [
      'none where they should be',
      { type: 't', map: { properties: 'p' } },
      {},
      'wrong_type',
      /p: expected object/,
    ],
  ])('is refused with %s', (_what, changes, value, code, message) => {
    expect(map(changes, value)).toMatchObject({
      ok: false,
      reason: { code, message: typeof message === 'string' ? message : expect.stringMatching(message) },
    });
  });
});

describe('what the worker would refuse of a source', () => {
  const text = `version: 1
name: w
tenants: { acme: {} }
sources: { orders: { topic: orders, tenant: acme } }
`;
  it.each([
    [
      { type: 'alias', userId: 'ann', previousId: 'ben' },
      'merge_of_known',
      'alias would make two known users one',
    ],
    [
      { type: 'view', userId: 'half \ud800' },
      'bad_subject',
      'The id of the subject has half a surrogate pair',
    ],
    [
      { type: 'identify', anonymousId: 'a1', userId: 'half \udfff' },
      'bad_subject',
      'The id of the subject has half a surrogate pair',
    ],
  ])(
    'goes to the dead letters with the place and bytes that it had there: %j',
    async (value, code, message) => {
      const workspace = await loadWorkspace('.', text);
      const bytes = Buffer.from(JSON.stringify(value));
      const { record, refusal } = recordOfSource(
        { name: 'orders', source: sourceOf({}), workspace, partitions: 4 },
        { offset: 42, key: '', appendedAt: now, bytes, from: 0, to: bytes.length, value: bytes },
        3,
        { ok: true, value, schemaId: null },
        now,
      );
      expect(refusal).toBe(code);
      expect(JSON.parse(record.value.toString())).toMatchObject({
        type: '$rejected',
        properties: {
          code,
          message: expect.stringContaining(`orders[3]@42: ${message}`),
          bytes: bytes.toString('base64'),
        },
      });
    },
  );
});
