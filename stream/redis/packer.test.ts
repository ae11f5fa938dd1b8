import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { Packer } from './index.ts';

type Value = string | number | boolean | Uint8Array | Value[];

describe('a packed argument', () => {
  let server: TestRedis;
  let redis: Redis;
  beforeAll(async () => {
    server = await startTestRedis({ fsync: 'everysec' });
    redis = new Redis(server.url);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  const leaf: fc.Arbitrary<Value> = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.integer(),
    fc.integer({ min: 0, max: 1e14 }),
    fc.boolean(),
    fc.uint8Array({ maxLength: 300 }),
  );
  const list = fc.array(fc.oneof(leaf, fc.array(leaf, { maxLength: 5 })), { maxLength: 40 });

  it('arrives in Lua as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(list, async (values) => {
        const packed = pack(new Packer(1), values).finish();
        const flat = await redis.callBuffer('EVAL', flatten, 0, packed);
        expect(flat).toEqual(texts(values).map((text) => Buffer.from(text)));
      }),
      { numRuns: 100 },
    );
  });

  it('joins a text and bytes to one string', async () => {
    const packed = new Packer(1)
      .array(1)
      .joined('zoë ', Buffer.from([0, 255]))
      .finish();
    expect(await redis.callBuffer('EVAL', flatten, 0, packed)).toEqual([
      Buffer.concat([Buffer.from('string:zoë '), Buffer.from([0, 255])]),
    ]);
  });
});

/** Every leaf of the unpacked argument, with its Lua type. */
const flatten = `
  local out = {}
  local function add(value)
    if type(value) == 'table' then for _, one in ipairs(value) do add(one) end
    elseif type(value) == 'number' then table.insert(out, 'number:' .. string.format('%.0f', value))
    else table.insert(out, type(value) .. ':' .. tostring(value)) end
  end
  add(cmsgpack.unpack(ARGV[1]))
  return out`;

function pack(packer: Packer, value: Value): Packer {
  if (typeof value === 'string') return packer.string(value);
  if (typeof value === 'number') return packer.number(value);
  if (typeof value === 'boolean') return packer.boolean(value);
  if (value instanceof Uint8Array) return packer.bytes(value);
  packer.array(value.length);
  for (const one of value) pack(packer, one);
  return packer;
}

function texts(value: Value): Uint8Array[] {
  if (Array.isArray(value)) return value.flatMap(texts);
  if (value instanceof Uint8Array) return [Buffer.concat([Buffer.from('string:'), value])];
  return [Buffer.from(`${typeof value}:${value}`)];
}
