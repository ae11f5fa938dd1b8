import { PresageError } from '../../../core/index.ts';

/** Bytes being written; grows as needed and is used again for the next blob. */
export interface Writer {
  bytes: Buffer;
  length: number;
}

/** Bytes being read: `at` moves forward and never past `end`. */
export interface Reader {
  readonly bytes: Buffer;
  at: number;
  end: number;
}

export const makeWriter = (): Writer => ({ bytes: Buffer.allocUnsafe(4_096), length: 0 });

/** A reader over the same memory; nothing is copied. */
export function makeReader(blob: Uint8Array): Reader {
  return { bytes: Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength), at: 0, end: blob.byteLength };
}

/** Makes room for `more` bytes. */
export function reserve(writer: Writer, more: number): void {
  const needed = writer.length + more;
  if (needed <= writer.bytes.length) return;
  const grown = Buffer.allocUnsafe(Math.max(needed, writer.bytes.length * 2));
  writer.bytes.copy(grown, 0, 0, writer.length);
  writer.bytes = grown;
}

export function writeByte(writer: Writer, value: number): void {
  reserve(writer, 1);
  writer.bytes[writer.length++] = value;
}

/** Most bytes that `putVarint` and `putSigned` take, and `putBig` of a sum of fewer than 2^53 amounts. */
export const mostVarintBytes = 9;
export const mostBigBytes = 20;

/** An integer from 0 to 2^53 - 1, seven bits a byte, least significant first, no superfluous bytes. */
export function writeVarint(writer: Writer, value: number): void {
  reserve(writer, mostVarintBytes);
  writer.length = putVarint(writer.bytes, writer.length, value);
}

/** `writeVarint` where room has been made; returns the place behind it. */
export function putVarint(bytes: Buffer, from: number, value: number): number {
  let at = from;
  let rest = value;
  while (rest >= 0x80) {
    // `| 0` keeps the low 32 bits only, of which seven are used: right for values above 2^32 too.
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 0x80);
  }
  bytes[at++] = rest;
  return at;
}

/** How many bytes `writeVarint` takes. */
export function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** An integer of up to 53 bits with its sign in bit 6 of the first byte. */
export function writeSigned(writer: Writer, value: number): void {
  reserve(writer, mostVarintBytes);
  writer.length = putSigned(writer.bytes, writer.length, value);
}

/** `writeSigned` where room has been made; returns the place behind it. */
export function putSigned(bytes: Buffer, at: number, value: number): number {
  const size = Math.abs(value);
  const first = (value < 0 ? 0x40 : 0) | (size & 0x3f);
  if (size < 0x40) {
    bytes[at] = first;
    return at + 1;
  }
  bytes[at] = first | 0x80;
  return putVarint(bytes, at + 1, Math.floor(size / 0x40));
}

/** The format of `writeSigned` without its limit. */
export function writeBig(writer: Writer, value: bigint): void {
  reserve(writer, value.toString(16).length + 2);
  writer.length = putBig(writer.bytes, writer.length, value);
}

/** `writeBig` where room has been made; returns the place behind it. */
export function putBig(bytes: Buffer, from: number, value: bigint): number {
  const size = value < 0n ? -value : value;
  let at = from;
  let rest = size >> 6n;
  bytes[at++] = Number(size & 0x3fn) | (value < 0n ? 0x40 : 0) | (rest > 0n ? 0x80 : 0);
  while (rest > 0n) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes[at++] = low | (rest > 0n ? 0x80 : 0);
  }
  return at;
}

/** UTF-8 after its length in bytes. */
export function writeText(writer: Writer, text: string): void {
  if (text.length < 0x80 && writeShortAscii(writer, text)) return;
  const size = Buffer.byteLength(text);
  writeVarint(writer, size);
  reserve(writer, size);
  writer.bytes.write(text, writer.length);
  writer.length += size;
}

/** Calls into Buffer cost more than the few bytes that most texts have. */
function writeShortAscii(writer: Writer, text: string): boolean {
  const size = text.length;
  reserve(writer, size + 1);
  const { bytes } = writer;
  let at = writer.length;
  bytes[at++] = size;
  for (let i = 0; i < size; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return false;
    bytes[at++] = unit;
  }
  writer.length = at;
  return true;
}

export function writeDouble(writer: Writer, value: number): void {
  reserve(writer, 8);
  writer.length = writer.bytes.writeDoubleLE(value, writer.length);
}

/** Throws PresageError `state_unreadable`: the bytes are not a state blob that we wrote. */
export function unreadable(why: string, at: number): never {
  throw new PresageError(
    'state_unreadable',
    `A stored state blob is damaged at byte ${at}: ${why}. It was not used; rebuild this subject's state from the log.`,
    { details: { at } },
  );
}

export function readByte(reader: Reader): number {
  if (reader.at >= reader.end) unreadable('it ends too early', reader.at);
  return reader.bytes[reader.at++] ?? 0;
}

export function readVarint(reader: Reader): number {
  let byte = readByte(reader);
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  let unit = 0x80;
  do {
    byte = readByte(reader);
    value += (byte & 0x7f) * unit;
    unit *= 0x80;
    if (value > Number.MAX_SAFE_INTEGER) unreadable('a number is too large', reader.at);
  } while (byte >= 0x80);
  if (byte === 0) unreadable('a number is longer than it needs to be', reader.at);
  return value;
}

export function readSigned(reader: Reader): number {
  const first = readByte(reader);
  let size = first & 0x3f;
  if (first >= 0x80) {
    const rest = readVarint(reader);
    if (rest === 0) unreadable('a number is longer than it needs to be', reader.at);
    size += rest * 0x40;
    if (size > Number.MAX_SAFE_INTEGER) unreadable('a number is too large', reader.at);
  }
  if ((first & 0x40) === 0) return size;
  if (size === 0) unreadable('a number is minus zero', reader.at);
  return -size;
}

/** Reads what `writeBig` wrote; at most 20 bytes, far above any sum of fewer than 2^53 amounts. */
export function readBig(reader: Reader): bigint {
  let byte = readByte(reader);
  const negative = (byte & 0x40) !== 0;
  let size = BigInt(byte & 0x3f);
  for (let shift = 6n; byte >= 0x80; shift += 7n) {
    if (shift > 139n) unreadable('a number is too large', reader.at);
    byte = readByte(reader);
    if (byte === 0) unreadable('a number is longer than it needs to be', reader.at);
    size |= BigInt(byte & 0x7f) << shift;
  }
  if (negative && size === 0n) unreadable('a number is minus zero', reader.at);
  return negative ? -size : size;
}

/** How many items follow, each of at least `bytesEach` bytes: a damaged count can't make us allocate. */
export function readCount(reader: Reader, bytesEach: number): number {
  const count = readVarint(reader);
  if (count * bytesEach > reader.end - reader.at) unreadable('a list is longer than the blob', reader.at);
  return count;
}

export function readText(reader: Reader): string {
  const size = readCount(reader, 1);
  const from = reader.at;
  reader.at += size;
  return reader.bytes.toString('utf8', from, reader.at);
}

export function readDouble(reader: Reader): number {
  if (reader.end - reader.at < 8) unreadable('it ends too early', reader.at);
  const value = reader.bytes.readDoubleLE(reader.at);
  reader.at += 8;
  return value;
}
