import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../port.ts';
import { crc32c } from './crc32c.ts';
import { PackedRecords } from './packed-records.ts';
import { batchesOf, filterAborted, recordsOf } from './raw-fetch.ts';
import { readBatch } from './record-batches.ts';

const require = createRequire(import.meta.url);
/** Batches of Apache Kafka's own code: fixtures/RecordBatches.java. */
const java = JSON.parse(readFileSync(new URL('./fixtures/java.json', import.meta.url), 'utf8')) as Record<
  string,
  string
>;
const bytesOf = (name: string): Buffer => Buffer.from(java[name] ?? '', 'base64');

function read(batch: Buffer, from = 0): LogRecord[] {
  const packed = new PackedRecords(1);
  readBatch(batch, from, packed);
  return Array.from({ length: packed.length }, (_, index) => packed.at(index) as LogRecord);
}
const told = (records: readonly LogRecord[]) =>
  records.map(({ offset, appendedAt, key, value }) => ({ offset, appendedAt, key, value: value.toString() }));

const time = 1_700_000_000_000;
const expected = (base: number) =>
  Array.from({ length: 8 }, (_, i) => ({
    offset: base + i,
    appendedAt: time + i * 10 - (i === 4 ? 1_000 : 0),
    key: i === 2 ? '' : `user-${i}`,
    value: i === 3 ? '' : `{"n":${i},"text":"naïve ☃ ${'ab'.repeat(i * 7)}"}`,
  }));

describe("record batches of Kafka's Java producer", () => {
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    it(`are read as they were written, codec ${codec}`, () => {
      expect(told(read(bytesOf(codec)))).toEqual(expected(40));
    });

  it('stand where the fetch response has them when they are not compressed', () => {
    const bytes = bytesOf('none');
    expect(read(bytes).every((record) => record.bytes.buffer === bytes.buffer)).toBe(true);
  });

  it("have the broker's time under LogAppendTime, and offsets above 2^32", () => {
    const records = read(bytesOf('logAppendTime'));
    expect(told(records)).toEqual(
      expected(3_000_000_000_000).map((record) => ({ ...record, appendedAt: time + 777 })),
    );
  });

  it('leave out what lies below the offset asked for', () => {
    expect(read(bytesOf('zstd'), 45).map(({ offset }) => offset)).toEqual([45, 46, 47]);
    expect(read(bytesOf('none'), 48)).toEqual([]);
  });

  it('keep the gaps that compaction left', () => {
    expect(read(bytesOf('gaps')).map(({ offset }) => offset)).toEqual([100, 103, 106]);
  });

  it('are refused when any byte behind the checksum changed', () => {
    const bytes = bytesOf('none');
    fc.assert(
      fc.property(
        fc.integer({ min: 17, max: bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, by) => {
          const broken = Buffer.from(bytes);
          broken[at] = (broken[at] ?? 0) ^ by;
          expect(() => read(broken)).toThrow(/can't be read/);
        },
      ),
    );
  });

  it('are refused, and take no memory, when their structure is broken under a right checksum', () => {
    const bytes = bytesOf('none');
    fc.assert(
      fc.property(
        fc.integer({ min: 57, max: bytes.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        (at, to) => {
          const broken = Buffer.from(bytes);
          broken[at] = to;
          broken.writeUInt32BE(crc32c(broken, 21, broken.length), 17);
          try {
            for (const record of read(broken)) expect(record.value.length).toBeLessThanOrEqual(bytes.length);
          } catch (error) {
            expect(error).toMatchObject({ code: 'log_corrupt', retriable: true });
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe("record batches of kafkajs's encoder", () => {
  const encode = require('kafkajs/src/protocol/recordBatch/v0/index.js') as {
    RecordBatch(batch: object): Promise<{ buffer: Buffer }>;
  };
  const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (
    r: object,
  ) => object;

  for (const [name, compression] of [
    ['none', 0],
    ['gzip', 1],
  ] as const)
    it(`are read as they were written, codec ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              key: fc.string(),
              value: fc.string({ unit: 'binary', maxLength: 300 }),
              headers: fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), fc.string()),
              timestampDelta: fc.integer({ min: 0, max: 2 ** 40 }),
            }),
            { minLength: 1, maxLength: 20 },
          ),
          async (sent) => {
            const records = sent.map((record, offsetDelta) => encodeRecord({ ...record, offsetDelta }));
            const { buffer } = await encode.RecordBatch({
              compression,
              firstTimestamp: time,
              maxTimestamp: time,
              lastOffsetDelta: sent.length - 1,
              records,
            });
            expect(told(read(buffer))).toEqual(
              sent.map(({ key, value, timestampDelta }, offset) => ({
                offset,
                appendedAt: time + timestampDelta,
                key: Buffer.from(key).toString(),
                value: Buffer.from(value).toString(),
              })),
            );
          },
        ),
        { numRuns: 50 },
      );
    });
});

describe('a fetch response', () => {
  const joined = (...names: string[]): Buffer => Buffer.concat(names.map(bytesOf));

  it('gives one message for each whole batch, and leaves one that is cut short for the next fetch', () => {
    const bytes = joined('none', 'zstd', 'gaps');
    for (const cut of [1, 30, bytesOf('gaps').length - 1]) {
      const messages = batchesOf(bytes.subarray(0, bytes.length - cut));
      expect(messages.map(({ offset }) => offset)).toEqual(['47', '47']);
    }
    const messages = batchesOf(bytes);
    expect(messages.map(({ offset }) => offset)).toEqual(['47', '47', '106']);
    expect(recordsOf(messages as never, 0)).toHaveLength(8 + 8 + 3);
  });

  it('passes messages that kafkajs decoded itself', () => {
    const message = {
      offset: '7',
      timestamp: '123',
      key: Buffer.from('k'),
      value: Buffer.from('v'),
      headers: {},
    };
    expect(told(recordsOf([message] as never, 0))).toEqual([
      { offset: 7, appendedAt: 123, key: 'k', value: 'v' },
    ]);
    expect(recordsOf([message] as never, 8)).toEqual([]);
  });

  it('leaves out an aborted transaction until its marker, and keeps a committed one', () => {
    const aborted = [{ producerId: '7', firstOffset: '10' }];
    const seen = (...names: string[]) =>
      recordsOf(
        filterAborted({ messages: batchesOf(joined(...names)), abortedTransactions: aborted }) as never,
        0,
      ).map(({ offset }) => offset);
    expect(seen('transaction', 'abort')).toEqual([]);
    expect(seen('transaction', 'abort', 'transaction', 'commit')).toEqual([10, 11]);
    expect(recordsOf(batchesOf(joined('transaction', 'commit')) as never, 0)).toHaveLength(2);
  });

  it('does not mistake the batch of another producer for one of the aborted transaction', () => {
    const messages = batchesOf(joined('transaction', 'none', 'abort'));
    const kept = filterAborted({ messages, abortedTransactions: [{ producerId: '7', firstOffset: '10' }] });
    expect(recordsOf(kept as never, 0).map(({ offset }) => offset)).toEqual([40, 41, 42, 43, 44, 45, 46, 47]);
  });
});

describe('CRC-32C', () => {
  it('has the known value of its check text, at any distance from the start of a buffer', () => {
    for (let before = 0; before < 9; before++) {
      const bytes = Buffer.concat([Buffer.alloc(before, 1), Buffer.from('123456789'), Buffer.alloc(3, 2)]);
      expect(crc32c(bytes, before, before + 9)).toBe(0xe3069283);
    }
  });
});
