import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { mapRow, rowIsEvent } from './map.ts';
import { type RowFormat, readRows, type SourceRow } from './rows.ts';

async function rowsOf(bytes: Buffer | string, format: RowFormat | null = null): Promise<SourceRow[]> {
  const rows: SourceRow[] = [];
  for await (const row of readRows(Readable.from([Buffer.from(bytes)], { objectMode: false }), {
    name: 'x',
    format,
  }))
    rows.push(row);
  return rows;
}

describe('a file that cannot be read', () => {
  const gzip = gzipSync('{"type":"page"}\n'.repeat(100));
  it.each([
    ['gzip that ends too early', gzip.subarray(0, 20)],
    ['gzip by its first bytes only', Buffer.from('\x1f\x8bgarbage', 'latin1')],
  ])('is named in one sentence: %s', async (_name, bytes) => {
    await expect(rowsOf(bytes)).rejects.toMatchObject({
      code: 'file_unreadable',
      message: expect.stringMatching(/^x could not be read as gzip/),
    });
  });

  it.each([
    ['a JSON array', '[{"type":"page"}]\n', /as events: .* one object a line/],
    ['a quote that is never closed', `a,b\n1,"${'x\n'.repeat(1_000_000)}`, /Max Record Size/],
    ['one column twice', 'id,time,id\n1,2,3\n', /the column "id" twice/],
    ['a line without an end', `{"a":"${'x'.repeat(1_200_000)}`, /longer than 1000000 characters/],
  ])('says what is wrong: %s', async (_what, bytes, sentence) => {
    await expect(rowsOf(bytes)).rejects.toMatchObject({
      code: 'file_unreadable',
      message: expect.stringMatching(sentence),
    });
  });

  it('is not quoted at length', async () => {
    const binary = `a\n${'\0'.repeat(10_000)}"${'\0'.repeat(10_000)}"\n`;
    const error: Error = await rowsOf(binary, 'csv').then(
      () => expect.fail('it was read'),
      (thrown: Error) => thrown,
    );
    expect(error.message.length).toBeLessThan(300);
  });
});

describe('rows', () => {
  const values = async (bytes: Buffer | string) =>
    (await rowsOf(bytes)).map(({ value, problem }) => problem ?? value);

  it.each([
    ['JSON lines behind a byte order mark', '\ufeff{"a":1}\r\n\r\n{"a":2}', [{ a: 1 }, { a: 2 }]],
    ['CSV behind a byte order mark', '\ufeffa,b\r\n1,2\r\n', [{ a: '1', b: '2' }]],
    ['quoted commas, quotes and line ends', 'a,b\n"x, ""y""\nz",2\n', [{ a: 'x, "y"\nz', b: '2' }]],
    ['an empty file', '', []],
    ['a header alone', 'a,b\n', []],
  ])('are read from %s', async (_what, bytes, expected) => {
    expect(await values(bytes)).toEqual(expected);
  });

  it('of another width, or that are no objects, are told one by one', async () => {
    expect(await values('a,b\n1\n1,2\n')).toEqual([expect.stringContaining('line 2'), { a: '1', b: '2' }]);
    expect(await values('{"a":1}\n[1]\n{\n{"a":2}\n')).toEqual([
      { a: 1 },
      'a line is not an object',
      expect.stringContaining('JSON'),
      { a: 2 },
    ]);
  });
});

describe('a row without a mapping module', () => {
  const mapped = (value: Record<string, unknown>) => mapRow({ row: 0, value }, rowIsEvent, 'hash')[0];
  const time = '2026-01-01T00:00:00Z';

  it('may be an event', () => {
    expect(mapped({ id: 'e1', type: 'viewed', time, userId: 'u' })).toMatchObject({
      event: { id: 'e1', type: 'viewed', userId: 'u', time: Date.parse(time) },
    });
  });

  it.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01 12:30:00', '2026-01-01T12:30:00Z'],
    ['2026-01-01', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00+05:30', '2025-12-31T18:30:00Z'],
    ['1767225600000', '2026-01-01T00:00:00Z'],
    [new Date('2026-01-01T00:00:00Z'), '2026-01-01T00:00:00Z'],
  ])('has the time %s as HTTP has it, in UTC where it names no zone', (written, meant) => {
    expect(mapped({ type: 'viewed', time: written, userId: 'u' })).toMatchObject({
      event: { time: Date.parse(meant) },
    });
  });

  it.each(['row 5', '12/31/2026', 'x'.repeat(1_000), 1n, { a: 1 }, Number.NaN])(
    'is refused with the time %s, in a short sentence',
    (written) => {
      const refused = mapped({ type: 'viewed', time: written, userId: 'u' });
      expect(refused).toMatchObject({ kind: 'reject', message: expect.stringMatching(/^time: expected/) });
      expect(JSON.stringify(refused).length).toBeLessThan(250);
    },
  );

  it('may have ids that are whole numbers, and none that is rounded or no id at all', () => {
    const row = { type: 'viewed', time };
    expect(mapped({ ...row, id: 7, userId: 42, session: '', anonymousId: null })).toMatchObject({
      event: { id: '7', userId: '42' },
    });
    for (const wrong of [2 ** 53, 1.5, {}, true, Number.NaN])
      expect(mapped({ ...row, anonymousId: 'a', userId: wrong })).toMatchObject({
        kind: 'reject',
        message: expect.stringMatching(/^userId: expected text or a whole number, got /),
      });
  });

  it('may be a call of a Segment client, whose id and name it keeps', () => {
    const call = { timestamp: time, messageId: 'm1', anonymousId: 'a' };
    expect(mapped({ ...call, type: 'track', event: 'viewed' })).toMatchObject({
      event: { id: 'm1', type: 'viewed' },
    });
    expect(mapped({ ...call, type: 'identify', traits: { plan: 'pro' } })).toMatchObject({
      event: { type: 'identify', properties: { plan: 'pro' } },
    });
  });
});
