import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { mapRow, rowIsEvent } from './map.ts';
import { type RowFormat, readRows, type SourceRow } from './rows.ts';

async function rowsOf(bytes: Buffer | string, format: RowFormat | null = null): Promise<SourceRow[]> {
  const rows: SourceRow[] = [];
  for await (const row of readRows(Readable.from([Buffer.from(bytes)]), { name: 'x', format }))
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

  it('is not quoted at length', async () => {
    const binary = `a\n${'\0'.repeat(10_000)}"${'\0'.repeat(10_000)}"\n`;
    const error: Error = await rowsOf(binary, 'csv').then(
      () => expect.fail('it was read'),
      (thrown: Error) => thrown,
    );
    expect(error.message.length).toBeLessThan(300);
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
