import { PresageError } from '../../../core/index.ts';
import { crc32c } from './crc32c.ts';
import { codecMask, decompress } from './decompress.ts';

/**
 * Kafka's record batch, version 2 ("magic 2"; https://kafka.apache.org/documentation/#recordbatch), read in place:
 * the records of an uncompressed batch keep standing in the bytes of the fetch response, and nothing is made per
 * record.
 *
 *    0 base offset (int64)   8 length of what follows   12 leader epoch   16 magic   17 CRC-32C of all from 21 on
 *   21 attributes   23 last offset delta   27 first timestamp   35 max timestamp   43 producer id   51 epoch
 *   53 base sequence   57 count   61 records, or their compressed bytes
 */
const lengthAt = 8;
const magicAt = 16;
const checksumAt = 17;
const attributesAt = 21;
const lastOffsetDeltaAt = 23;
const firstTimestampAt = 27;
const maxTimestampAt = 35;
const producerIdAt = 43;
const countAt = 57;
const recordsAt = 61;
/** Base offset and length stand before what the length counts. */
const overhead = 12;

const isLogAppendTime = 0x08;
const isTransactional = 0x10;
const isControl = 0x20;

/** Takes records one after the other: where key and value of each stand in `bytes`. */
export interface RecordSink {
  add(
    offset: number,
    appendedAt: number,
    bytes: Buffer,
    keyFrom: number,
    keyTo: number,
    from: number,
    to: number,
  ): void;
}

/** What stands in front of a batch's records. */
export interface BatchHeader {
  /** The whole batch, first byte to before the last, in the bytes it was read from. */
  readonly from: number;
  readonly to: number;
  readonly lastOffset: number;
  readonly producerId: string;
  readonly inTransaction: boolean;
  /** Holds no records of a producer but a marker of the broker: the end of a transaction. */
  readonly isControl: boolean;
}

/**
 * The header of the batch at `at`; null where the rest holds no whole batch, as at the end of a fetch response.
 * `to` ends the bytes to look at. Throws PresageError `log_corrupt` for what is no batch of this version.
 */
export function batchHeader(bytes: Buffer, at: number, to: number): BatchHeader | null {
  if (to - at < recordsAt) return null;
  const length = bytes.readInt32BE(at + lengthAt);
  const end = at + overhead + length;
  if (bytes[at + magicAt] !== 2) throw corrupt(`a batch has version ${bytes[at + magicAt]}`);
  if (length < recordsAt - overhead) throw corrupt(`a batch of ${length} bytes is too short`);
  if (end > to) return null;
  const attributes = bytes.readInt16BE(at + attributesAt);
  return {
    from: at,
    to: end,
    lastOffset: readInt64(bytes, at) + bytes.readInt32BE(at + lastOffsetDeltaAt),
    producerId: bytes.readBigInt64BE(at + producerIdAt).toString(),
    inTransaction: (attributes & isTransactional) !== 0,
    isControl: (attributes & isControl) !== 0,
  };
}

/**
 * The records of one whole batch with offsets from `fromOffset` on (a fetch gives whole batches, so a batch may begin
 * earlier), added to `into`. Offsets may have gaps: compaction leaves them. A control batch has none. Throws
 * PresageError `log_corrupt` (retriable) when checksum or structure is wrong; `into` may then hold some of the records.
 */
export function readBatch(batch: Buffer, fromOffset: number, into: RecordSink): void {
  const header = batchHeader(batch, 0, batch.length);
  if (header === null) throw corrupt('a batch is cut short');
  if (crc32c(batch, attributesAt, header.to) !== batch.readUInt32BE(checksumAt))
    throw corrupt(`the checksum of the batch up to offset ${header.lastOffset} does not fit`);
  const attributes = batch.readInt16BE(attributesAt);
  if (header.isControl) return;
  const codec = attributes & codecMask;
  const bytes = codec === 0 ? batch : decompress(codec, batch.subarray(recordsAt, header.to));
  const end = codec === 0 ? header.to : bytes.length;
  const baseOffset = readInt64(batch, 0);
  const firstTimestamp = readInt64(batch, firstTimestampAt);
  const appendTime = (attributes & isLogAppendTime) !== 0 ? readInt64(batch, maxTimestampAt) : -1;
  const cursor: Cursor = { bytes, at: codec === 0 ? recordsAt : 0, end };
  for (let left = batch.readInt32BE(countAt); left > 0; left--) {
    const size = readVarint(cursor);
    const recordEnd = cursor.at + size;
    if (size < 0 || recordEnd > end) throw corrupt('a record is longer than its batch');
    cursor.end = recordEnd;
    cursor.at++; // Attributes of a record are not in use.
    const timestampDelta = readVarint(cursor);
    const offset = baseOffset + readVarint(cursor);
    const keyBytes = readVarint(cursor);
    const keyFrom = cursor.at;
    const keyTo = keyBytes > 0 ? keyFrom + keyBytes : keyFrom;
    if (keyTo > recordEnd) throw corrupt('a key is longer than its record');
    cursor.at = keyTo;
    const valueBytes = readVarint(cursor);
    const from = cursor.at;
    const to = valueBytes > 0 ? from + valueBytes : from;
    if (to > recordEnd) throw corrupt('a value is longer than its record');
    if (offset >= fromOffset) {
      const appendedAt = appendTime >= 0 ? appendTime : firstTimestamp + timestampDelta;
      into.add(offset, appendedAt, bytes, keyFrom, keyTo, from, to);
    }
    // Headers come last: whatever they are, the next record begins after this one's size.
    cursor.at = recordEnd;
    cursor.end = end;
  }
}

/** Whether a control batch ends a transaction that was aborted: its one record's key is version 0, type 0. */
export function isAbortMarker(batch: Buffer): boolean {
  const cursor: Cursor = { bytes: batch, at: recordsAt, end: batch.length };
  readVarint(cursor);
  cursor.at++;
  readVarint(cursor);
  readVarint(cursor);
  return readVarint(cursor) >= 4 && batch.readInt16BE(cursor.at + 2) === 0;
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
  end: number;
}

/** Kafka's varint and varlong: seven bits a byte, least significant first, sign in the lowest bit. */
function readVarint(cursor: Cursor): number {
  const { bytes } = cursor;
  let at = cursor.at;
  let byte = bytes[at++] ?? 0;
  let value = byte & 0x7f;
  for (let unit = 0x80; byte >= 0x80; unit *= 0x80) {
    if (at >= cursor.end || unit > 2 ** 56) throw corrupt('a number does not end');
    byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * unit;
  }
  if (at > cursor.end) throw corrupt('a record ends within a number');
  cursor.at = at;
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

/** Offsets and times stay far below 2^53. */
const readInt64 = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);

const corrupt = (why: string): PresageError =>
  new PresageError('log_corrupt', `What the broker sent can't be read: ${why}.`, { retriable: true });
