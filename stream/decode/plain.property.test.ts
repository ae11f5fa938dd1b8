import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { partitionOf } from '../../core/index.ts';
import { root } from '../../tests/support/program.ts';
import { type CompiledWorkspace, loadWorkspace } from '../../workspace/index.ts';
import { hashed, hashText } from '../features/parts/hash.ts';
import { textOf } from '../features/parts/text.ts';
import { Item } from '../item.ts';
import { recordOf } from '../log/record.ts';
import { decodeCloser, earliestEventTime } from '../steps/decode.ts';
import { makeColumns } from './columns.ts';
import { type PlainDecoder, plainDecoder } from './plain.ts';

const partitions = 2;
/** Columns that "features" read: declared ones, undeclared ones, and some that are hard to find. */
const read = ['price', 'sku', 'other', 'nested', ''];
const longRuns = process.env.PRESAGE_FULL === '1' ? 200_000 : 20_000;

let workspace: CompiledWorkspace;
beforeAll(async () => {
  workspace = await loadWorkspace(`${root}/tests/workspaces/small`);
});

/** Whatever plain decoding takes, the closer look takes too, and both say the same of it. */
function check(plain: PlainDecoder, closer: ReturnType<typeof decodeCloser>, bytes: Buffer): Item | null {
  // Neighbours in the same buffer, which end the text of whoever reads too far.
  const shared = Buffer.concat([Buffer.from('"}]'), bytes, Buffer.from('"}]}"}0,')]);
  const { from, to } = { from: 3, to: 3 + bytes.length };
  const whole = recordOf(5, 1e13, 'k', bytes);
  const record = { ...whole, key: 'k', bytes: shared, from, to, value: shared.subarray(from, to) };
  const fast = plain.decode(record, makeColumns(2, plain.width), 1);
  if (fast === null) return null;
  const slow = closer(whole);
  if (!(slow instanceof Item))
    throw new Error(`plain takes what is refused: ${JSON.stringify(slow.refused)}`);
  const { event } = slow;
  hashText(event.id);
  expect([fast.idHigh, fast.idLow]).toEqual([hashed.high, hashed.low]);
  for (const part of [
    'tenant',
    'type',
    'subject',
    'key',
    'statedTime',
    'time',
    'id',
    'session',
    'source',
    'properties',
    'isSimulated',
  ] as const)
    expect(fast[part]).toEqual(slow[part]);
  for (const [column, name] of read.entries()) {
    const value = Object.hasOwn(event.properties, name) ? event.properties[name] : undefined;
    expect(fast.numberOf(column)).toBe(typeof value === 'number' ? value : Number.NaN);
    const text = fast.textOf(column);
    expect(text === null ? null : textOf(text)).toBe(textOf(value));
  }
  expect(fast.event).toEqual(event);
  return fast;
}

function decoders() {
  const plain = [0, 1].map((partition) =>
    plainDecoder(workspace, partition, partitions, read, earliestEventTime),
  );
  const closer = [0, 1].map((partition) => decodeCloser(workspace, partition, partitions));
  return (bytes: Buffer): (Item | null)[] =>
    [0, 1].map((partition) => check(plain[partition]!, closer[partition]!, bytes));
}

const text = fc.oneof(
  fc.constantFrom(
    'view',
    'click',
    '$exposure',
    '$control',
    'identify',
    'alias',
    'acme',
    'bolt',
    'u1',
    '',
    'price',
  ),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ minLength: 60, maxLength: 260 }),
);
/** JSON texts of values, with all that JSON.parse takes and some that it does not. */
const hostile: fc.Arbitrary<string> = fc.oneof(
  fc.double().map((number) => JSON.stringify(number)),
  fc.integer().map(String),
  fc.integer({ min: 0, max: 99_999 }).map((n) => (n / 4).toString()),
  fc.constantFrom(
    '-0',
    '0.10',
    '1e3',
    '1E-400',
    '1e999',
    '12345678901234567890.5',
    '00',
    '1.',
    '.5',
    '-',
    '+1',
    '1e',
  ),
  fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }).map(String),
  text.map((one) => JSON.stringify(one)),
  fc.constantFrom('true', 'false', 'null', 'nul', '"\\u0070"', '"\\x"', '"\\ud800"', '"a\tb"', '""', '"\\""'),
  fc.constantFrom(
    '{}',
    '[]',
    '[1,{"a":[]}]',
    '{"a":1,"a":2}',
    '[1,]',
    '{,}',
    `${'['.repeat(40)}${']'.repeat(40)}`,
  ),
  fc.json({ maxDepth: 3 }),
);
const tame = fc.oneof(
  fc.integer({ min: 0, max: 99_999 }).map((n) => (n / 4).toString()),
  fc.constantFrom('"sku-1"', 'true', 'null', '[]', '{"a":"Ü"}'),
);
const value = fc.oneof({ weight: 5, arbitrary: tame }, { weight: 1, arbitrary: hostile });
const name = (names: readonly string[]): fc.Arbitrary<string> =>
  fc
    .oneof({ weight: 30, arbitrary: fc.constantFrom(...names) }, { weight: 1, arbitrary: text })
    .map((one) => JSON.stringify(one));
const space = fc.oneof(
  { weight: 40, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom(' ', '\n\t', '\r', '\u00a0') },
);

function objectOf(pairs: fc.Arbitrary<[string, string][]>): fc.Arbitrary<string> {
  return fc
    .tuple(pairs, space, space, space)
    .map(([all, a, b, c]) => `{${a}${all.map(([key, one]) => `${key}${b}:${one}`).join(`${c},`)}${a}}`);
}
const propertiesText = objectOf(
  fc.array(fc.tuple(name([...read, '__proto__', '\\u0070rice', 'x', 'pric', 'prices']), value), {
    maxLength: 5,
  }),
);

/** An envelope that is right, with some of it left out, changed or repeated. */
const envelope = fc
  .record({
    user: fc.constantFrom('u1', 'u2', 'a-long-id'),
    properties: propertiesText,
    changes: fc.array(
      fc.tuple(
        name([
          'v',
          'id',
          'tenant',
          'type',
          'userId',
          'anonymousId',
          'session',
          'time',
          'properties',
          'context',
          'source',
          'schema',
          'more',
        ]),
        fc.oneof(value, propertiesText),
      ),
      { maxLength: 1 },
    ),
    leftOut: fc.option(fc.nat(11), { freq: 1 }),
    replace: fc.boolean(),
    rotate: fc.nat(11),
    session: fc.option(text),
    between: space,
  })
  .map(({ user, properties, changes, leftOut, replace, rotate, session, between }) => {
    let fields: [string, string][] = [
      ['"v"', '1'],
      ['"id"', '"e-1"'],
      ['"tenant"', '"acme"'],
      ['"type"', '"view"'],
      ['"userId"', JSON.stringify(user)],
      ['"time"', '1767225600123'],
      ['"properties"', properties],
      ['"source"', '"http"'],
    ];
    if (session !== null) fields.push(['"session"', JSON.stringify(session)]);
    if (leftOut !== null) fields = fields.filter((_, i) => i !== leftOut);
    if (replace) fields = fields.filter(([key]) => !changes.some(([changed]) => changed === key));
    fields.push(...changes);
    fields = [...fields.slice(rotate % fields.length), ...fields.slice(0, rotate % fields.length)];
    return Buffer.from(`{${fields.map(([key, one]) => `${key}:${one}`).join(`,${between}`)}}`);
  });

describe('plain decoding', () => {
  it('says of any event what parsing and zod say, or leaves it to them', () => {
    const decode = decoders();
    let taken = 0;
    fc.assert(
      fc.property(envelope, (bytes) => {
        if (decode(bytes).some((item) => item !== null)) taken++;
      }),
      { numRuns: longRuns },
    );
    // A decoder that took nothing would never be wrong.
    expect(taken).toBeGreaterThan(longRuns / 10);
  });

  it('does so for events with broken bytes', () => {
    const decode = decoders();
    fc.assert(
      fc.property(envelope, fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.nat(2))), (bytes, changes) => {
        let broken = bytes;
        for (const [place, byte, how] of changes) {
          const at = place % broken.length;
          const middle = how === 0 ? [byte] : how === 1 ? [byte, broken[at] ?? 0] : [];
          broken = Buffer.concat([broken.subarray(0, at), Buffer.from(middle), broken.subarray(at + 1)]);
          if (broken.length === 0) return;
        }
        decode(broken);
      }),
      { numRuns: longRuns },
    );
  });

  it('takes what our own producers write', () => {
    const decode = decoders();
    const event = {
      v: 1,
      id: 'e',
      tenant: 'bolt',
      type: 'view',
      userId: 'u1',
      anonymousId: 'x',
      session: 's',
      time: 1767225600123,
      properties: { sku: 'naïve'.slice(0, 2), price: 12.25, title: 'Ünï "quoted"', more: [{ a: null }] },
      context: { ip: '::1', page: { title: '☃' } },
      source: 'browser',
      schema: 'abc',
    };
    const item = decode(Buffer.from(JSON.stringify(event)))[partitionOf('u1', partitions)];
    expect(item?.key).toBe('bolt:u:u1');
    expect(item?.numberOf(0)).toBe(12.25);
  });
});
