import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PresageError } from '../../core/index.ts';
import { frame, jsonStart, schemaIdOf } from './framing.ts';
import { type RegisteredSchema, recordDecoder, type SchemaRegistry } from './index.ts';

const clock = { now: () => 0, monotonic: () => 0 };
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const price = { type: 'object', properties: { price: { type: 'number' } }, required: ['price'] };

function registryOf(
  schemas: Record<number, Partial<RegisteredSchema>>,
): SchemaRegistry & { asked: number[] } {
  const asked: number[] = [];
  const never = () => Promise.reject(new Error('not asked here'));
  return {
    asked,
    schemaById: async (id) => {
      asked.push(id);
      const found = schemas[id];
      return found === undefined
        ? null
        : { type: 'JSON', text: JSON.stringify(price), references: new Map(), ...found };
    },
    register: never,
    versions: never,
    isCompatible: never,
    setCompatibility: never,
  };
}

describe('the frame of a value', () => {
  it('is a zero byte and the id, and comes off again', () => {
    const id = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(id, fc.json(), (id, text) => {
        const value = frame(id, Buffer.from(text));
        expect(schemaIdOf(value)).toBe(id);
        const all = Buffer.concat([Buffer.from('xx'), value]);
        expect(all.subarray(jsonStart(all, 2, all.length)).toString()).toBe(text);
        const plain = Buffer.from(text);
        expect(jsonStart(plain, 0, plain.length)).toBe(0);
      }),
    );
  });
});

describe('a record decoder', () => {
  it('fetches each schema once, then decodes without waiting', async () => {
    const registry = registryOf({ 7: {} });
    const decoder = recordDecoder({ registry, clock });
    const values = [frame(7, json({ price: 1 })), frame(7, json({ price: 2 })), json({ plain: true })];
    expect(decoder.unlearned(values)).toEqual([7]);
    await decoder.learn(decoder.unlearned(values));
    expect(decoder.unlearned(values)).toEqual([]);
    expect(values.map((value) => decoder.decode(value))).toEqual([
      { ok: true, value: { price: 1 }, schemaId: 7 },
      { ok: true, value: { price: 2 }, schemaId: 7 },
      { ok: true, value: { plain: true }, schemaId: null },
    ]);
    await decoder.learn([7]);
    expect(registry.asked).toEqual([7]);
  });

  it('takes a byte order mark for no part of the JSON', async () => {
    const decoder = recordDecoder({ registry: registryOf({ 7: {} }), clock });
    await decoder.learn([7]);
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), json({ price: 1 })]);
    expect(decoder.decode(marked)).toEqual({ ok: true, value: { price: 1 }, schemaId: null });
    expect(decoder.decode(frame(7, marked))).toEqual({ ok: true, value: { price: 1 }, schemaId: 7 });
  });

  it('says what is wrong with a value, and where it was', async () => {
    const registry = registryOf({ 1: {}, 2: { type: 'PROTOBUF' }, 3: { text: '{"type": "nonsense"}' } });
    const decoder = recordDecoder({ registry, clock, format: 'framed' });
    await decoder.learn([1, 2, 3, 9]);
    const at = { topic: 'orders', partition: 3, offset: 41 };
    const says = (bytes: Uint8Array) => decoder.decode(bytes, at);
    expect(says(frame(1, json({ price: 'x' })))).toMatchObject({
      code: 'invalid_value',
      retriable: false,
      message: expect.stringMatching(/^orders\[3\]@41: .*schema 1: \/price must be number/),
    });
    expect(says(frame(1, Buffer.from('{')))).toMatchObject({ code: 'invalid_value' });
    expect(says(json({ price: 1 }))).toMatchObject({
      code: 'not_framed',
      message: expect.stringContaining('byte 123'),
    });
    expect(says(Buffer.alloc(0))).toMatchObject({
      code: 'not_framed',
      message: expect.stringContaining('nothing'),
    });
    expect(says(frame(9, json({})))).toMatchObject({ code: 'unknown_schema', retriable: false });
    expect(says(frame(2, json({})))).toMatchObject({
      code: 'schema_unusable',
      message: expect.stringContaining('Protobuf'),
    });
    expect(says(frame(3, json({})))).toMatchObject({ code: 'schema_unusable' });
    expect(says(frame(4, json({})))).toMatchObject({ code: 'schema_not_learned', retriable: true });
    expect(recordDecoder({ registry, clock }).decode(Buffer.from('hello'), at)).toMatchObject({
      code: 'not_json',
    });
  });

  it('passes on that the registry is away, and learns when it is back', async () => {
    let isAway = true;
    const registry = registryOf({ 1: {} });
    const flaky: SchemaRegistry = {
      ...registry,
      schemaById: (id) =>
        isAway
          ? Promise.reject(new PresageError('registry_unavailable', 'away', { retriable: true }))
          : registry.schemaById(id),
    };
    const decoder = recordDecoder({ registry: flaky, clock });
    await expect(decoder.learn([1])).rejects.toMatchObject({ code: 'registry_unavailable', retriable: true });
    isAway = false;
    await decoder.learn(decoder.unlearned([frame(1, json({}))]));
    expect(decoder.decode(frame(1, json({ price: 1 })))).toMatchObject({ ok: true });
  });

  it('asks again for a missing id, but not at once', async () => {
    let now = 0;
    const registry = registryOf({});
    const decoder = recordDecoder({ registry, clock: { ...clock, now: () => now } });
    for (now of [0, 10_000, 40_000]) await decoder.learn([5]);
    expect(registry.asked).toEqual([5, 5]);
  });

  it('keeps a bounded number of schemas, and all that one batch needs', async () => {
    const registry = registryOf(Object.fromEntries(Array.from({ length: 20 }, (_, id) => [id, {}])));
    const decoder = recordDecoder({ registry, clock, capacity: 4 });
    const values = Array.from({ length: 20 }, (_, id) => frame(id, json({ price: 1 })));
    for (const value of values) {
      await decoder.learn(decoder.unlearned([value]));
      expect(decoder.decode(value)).toMatchObject({ ok: true });
    }
    expect(decoder.unlearned(values)).toHaveLength(16);
    await decoder.learn(decoder.unlearned(values));
    expect(values.every((value) => decoder.decode(value).ok || decoder.unlearned([value]).length === 1)).toBe(
      true,
    );
    expect(decoder.unlearned(values).length).toBeLessThanOrEqual(4);
  });

  it('follows references between JSON Schemas', async () => {
    const text = JSON.stringify({ type: 'object', properties: { at: { $ref: 'place.json' } } });
    const references = new Map([['place.json', JSON.stringify({ type: 'string', maxLength: 3 })]]);
    const decoder = recordDecoder({ registry: registryOf({ 1: { text, references } }), clock });
    await decoder.learn([1]);
    expect(decoder.decode(frame(1, json({ at: 'abc' })))).toMatchObject({ ok: true });
    expect(decoder.decode(frame(1, json({ at: 'abcd' })))).toMatchObject({ code: 'invalid_value' });
  });
});

describe('Avro values', () => {
  const order = {
    type: 'record',
    name: 'shop.Order',
    fields: [
      { name: 'user', type: ['null', 'string'] },
      { name: 'big', type: 'long' },
      { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'micro', type: { type: 'long', logicalType: 'timestamp-micros' } },
      { name: 'day', type: { type: 'int', logicalType: 'date' } },
      { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 } },
      { name: 'refund', type: ['null', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }] },
      { name: 'tags', type: { type: 'map', values: 'double' } },
      { name: 'raw', type: 'bytes' },
      {
        name: 'lines',
        type: {
          type: 'array',
          items: {
            type: 'record',
            name: 'Line',
            fields: [
              { name: 'sku', type: 'string' },
              { name: 'next', type: ['null', 'Line'] },
            ],
          },
        },
      },
      { name: 'state', type: { type: 'enum', name: 'State', symbols: ['NEW', 'PAID'] } },
    ],
  };
  // Written without the logical types: the bytes are the same.
  const plainTypes = JSON.parse(
    JSON.stringify(order, (key, value) => (key === 'logicalType' ? undefined : value)),
  );
  const value = {
    user: { string: 'ann' },
    big: 12,
    at: 1_700_000_000_123,
    micro: 1_700_000_000_123_456,
    day: 19_000,
    price: Buffer.from([0x04, 0xd2]),
    refund: { bytes: Buffer.from([0xfb, 0x2e]) },
    tags: { a: 0.5 },
    raw: Buffer.from('hi'),
    lines: [{ sku: 'x', next: { 'shop.Line': { sku: 'y', next: null } } }],
    state: 'PAID',
  };
  const writer = avro.Type.forSchema(plainTypes, { wrapUnions: true });
  const avroDecoder = async () => {
    const decoder = recordDecoder({
      registry: registryOf({ 1: { type: 'AVRO', text: JSON.stringify(order) } }),
      clock,
    });
    await decoder.learn([1]);
    return decoder;
  };

  it('become plain JSON, logical types included', async () => {
    const decoded = (await avroDecoder()).decode(frame(1, writer.toBuffer(value)));
    expect(decoded).toEqual({
      ok: true,
      schemaId: 1,
      value: {
        user: 'ann',
        big: 12,
        at: 1_700_000_000_123,
        micro: 1_700_000_000_123.456,
        day: '2022-01-08',
        price: 12.34,
        refund: -12.34,
        tags: { a: 0.5 },
        raw: 'aGk=',
        lines: [{ sku: 'x', next: { sku: 'y', next: null } }],
        state: 'PAID',
      },
    });
  });

  it('keep longs that a number cannot hold, as text', async () => {
    const decoder = recordDecoder({ registry: registryOf({ 1: { type: 'AVRO', text: '"long"' } }), clock });
    await decoder.learn([1]);
    // -2^53 - 1 as a zigzag varint.
    const bytes = Buffer.from([0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]);
    expect(decoder.decode(frame(1, bytes))).toMatchObject({ ok: true, value: '-9007199254740993' });
  });

  it('that are cut off or too long are refused', async () => {
    const decoder = await avroDecoder();
    const bytes = writer.toBuffer(value);
    for (const wrong of [
      bytes.subarray(0, bytes.length - 1),
      Buffer.concat([bytes, Buffer.from([1])]),
      Buffer.alloc(0),
    ]) {
      expect(decoder.decode(frame(1, wrong))).toMatchObject({ code: 'invalid_value', retriable: false });
    }
  });
});
