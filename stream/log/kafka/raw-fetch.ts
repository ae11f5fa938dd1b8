import { createRequire } from 'node:module';
import type { KafkaMessage } from 'kafkajs';
import type { LogRecord } from '../port.ts';
import { recordOf } from '../record.ts';
import { type Fetched, PackedRecords } from './packed-records.ts';
import { type BatchHeader, batchHeader, isAbortMarker, readBatch } from './record-batches.ts';

/**
 * kafkajs makes some 20 objects of every message. Its group, fetch and retry code is kept, and only what turns the
 * bytes of a fetch response into messages is replaced: one message stands for a whole record batch and carries its
 * bytes, which `recordsOf` reads in place (measured on 1,000,000 records of 220 B: 1.6 -> 0.3 CPU-s, checksum included).
 *
 * kafkajs has no `exports` map, so its inner modules can be replaced in Node's module cache. That is tied to the
 * release it was tested with: with any other, its own decoding goes on, slower.
 *
 * It holds for every consumer of this process: all read through `recordsOf`, which takes either sort of message.
 */
const testedVersion = '2.2.4';
const decoderModule = 'kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js';
const filterModule = 'kafkajs/src/consumer/filterAbortedMessages.js';

/** A message that stands for a record batch; `offset` is the batch's last. */
interface BatchMessage {
  readonly offset: string;
  readonly value: Buffer;
  readonly key: null;
  readonly timestamp: string;
  readonly headers: Record<string, never>;
  readonly isControlRecord: boolean;
  readonly recordBatch: BatchHeader;
}

interface FetchDecoder {
  readInt32(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}
type DecodeMessages = (decoder: FetchDecoder) => Promise<unknown[]>;
interface AbortedTransaction {
  readonly firstOffset: string;
  readonly producerId: string;
}
type Filter = (fetched: {
  messages: BatchMessage[];
  abortedTransactions?: readonly AbortedTransaction[];
}) => BatchMessage[];

/**
 * Makes kafkajs hand over whole record batches. Call it before the first import of kafkajs. Returns null, or why
 * kafkajs's own decoding stays in place.
 */
export function useRawFetch(): string | null {
  const require = createRequire(import.meta.url);
  try {
    const { version } = require('kafkajs/package.json') as { version: string };
    if (version !== testedVersion)
      return `kafkajs ${version} is installed, fast decoding is tested with ${testedVersion}`;
    const filterPath = require.resolve(filterModule);
    const batchPath = require.resolve('kafkajs/src/consumer/batch.js');
    if (require.cache[filterPath]?.exports === filterAborted) return null;
    if (require.cache[batchPath] !== undefined) return 'kafkajs was loaded before fast decoding could be set';
    const original = require(decoderModule) as DecodeMessages;
    const stockFilter = require(filterModule) as Filter;
    replace(require, decoderModule, decodeWith(original));
    filterStock = stockFilter;
    replace(require, filterModule, filterAborted);
    return null;
  } catch (error) {
    return `kafkajs is not as it was tested: ${String(error)}`;
  }
}

let filterStock: Filter = ({ messages }) => messages;

function replace(require: NodeJS.Require, name: string, exports: unknown): void {
  const loaded = require.cache[require.resolve(name)];
  if (loaded === undefined) throw new Error(`${name} is not in the module cache`);
  loaded.exports = exports;
}

/** `original` reads what is older than record batches. */
function decodeWith(original: DecodeMessages): DecodeMessages {
  return async (decoder) => {
    const at = decoder as FetchDecoder & { offset: number };
    const start = at.offset;
    const size = decoder.readInt32();
    if (size <= 0 || !decoder.canReadBytes(size)) return [];
    const bytes = decoder.readBytes(size);
    if (bytes[16] !== 2) {
      at.offset = start;
      return original(decoder);
    }
    return batchesOf(bytes);
  };
}

/** The whole batches of a response's bytes; one that is cut short at its end is fetched again. */
export function batchesOf(bytes: Buffer): BatchMessage[] {
  const messages: BatchMessage[] = [];
  for (let at = 0; ; ) {
    const header = batchHeader(bytes, at, bytes.length);
    if (header === null) return messages;
    messages.push({
      offset: String(header.lastOffset),
      value: bytes.subarray(at, header.to),
      key: null,
      timestamp: '0',
      headers: {},
      isControlRecord: header.isControl,
      recordBatch: header,
    });
    at = header.to;
  }
}

/**
 * Leaves out batches of aborted transactions, as Kafka's own consumer does: from the transaction's first offset until
 * the marker that ends it. All batches of a transaction are of one producer, so whole batches are enough.
 */
export const filterAborted: Filter = ({ messages, abortedTransactions = [] }) => {
  if (abortedTransactions.length === 0) return messages;
  if (messages.some(({ recordBatch }) => recordBatch === undefined))
    return filterStock({ messages, abortedTransactions });
  const coming = [...abortedTransactions].sort((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  const aborted = new Set<string>();
  return messages.filter(({ value, recordBatch: { lastOffset, producerId, inTransaction, isControl } }) => {
    for (
      let next = coming[0];
      next !== undefined && Number(next.firstOffset) <= lastOffset;
      next = coming[0]
    ) {
      aborted.add(next.producerId);
      coming.shift();
    }
    if (isControl) {
      if (isAbortMarker(value)) aborted.delete(producerId);
      return true;
    }
    return !(inTransaction && aborted.has(producerId));
  });
};

/**
 * The records of a consumer's messages, from offset `from` on. Takes batches, and messages as stock kafkajs decodes
 * them. Throws PresageError `log_corrupt`, retriable: fetch again.
 */
export function recordsOf(messages: readonly KafkaMessage[], from: number): LogRecord[] {
  const fetched = fetchedFrom(messages, from);
  return Array.from({ length: fetched.length }, (_, index) => fetched.at(index) as LogRecord);
}

/** The same, of which nothing is made before it is read. */
export function fetchedFrom(messages: readonly KafkaMessage[], from: number): Fetched {
  const batches: BatchMessage[] = [];
  for (const message of messages) if (isBatch(message)) batches.push(message);
  if (batches.length === messages.length) {
    const bytes = batches.reduce((sum, { value }) => sum + value.length, 0);
    const packed = new PackedRecords(Math.ceil(bytes / likelyBytes));
    for (const { value } of batches) readBatch(value, from, packed);
    return packed;
  }
  const records: LogRecord[] = [];
  for (const message of messages) {
    if (isBatch(message)) records.push(...recordsOf([message], from));
    else if (Number(message.offset) >= from) {
      const { offset, timestamp, key, value } = message;
      records.push(
        recordOf(Number(offset), Number(timestamp), key?.toString('utf8') ?? '', value ?? Buffer.alloc(0)),
      );
    }
  }
  return records;
}

/** Of a record; more of them only make the memory for their numbers larger once more. */
const likelyBytes = 200;

const isBatch = (message: object): message is BatchMessage => 'recordBatch' in message;
