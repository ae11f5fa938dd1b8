import type { LogRecord } from '../log/port.ts';

/** Confluent's wire format: a zero byte, the schema's id in four bytes (big-endian), then the value. */
const magic = 0;
const headerBytes = 5;

/** Whether a value begins as a framed one does. JSON never begins with a zero byte, so the two can't be mixed up. */
export const isFramed = (bytes: Uint8Array, from = 0, to = bytes.length): boolean =>
  to - from >= headerBytes && bytes[from] === magic;

/** Where the JSON of one of our log's values begins: behind the frame, or at `from` where there is none. */
export const jsonStart = (bytes: Uint8Array, from: number, to: number): number =>
  bytes[from] === magic && to - from >= headerBytes ? from + headerBytes : from;

/** The text behind the frame of one of our log's records, framed or not. */
export const jsonText = ({ bytes, from, to }: Pick<LogRecord, 'bytes' | 'from' | 'to'>): string =>
  withoutMark(bytes.toString('utf8', jsonStart(bytes, from, to), to));

/** Some producers begin with a byte order mark, which is no JSON. */
export const withoutMark = (text: string): string => (text.startsWith('\ufeff') ? text.slice(1) : text);

/** The id in the frame of a value; null: it has no frame. */
export function schemaIdOf(bytes: Uint8Array, from = 0, to = bytes.length): number | null {
  if (!isFramed(bytes, from, to)) return null;
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(from + 1, from + headerBytes);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

/** What stands behind the frame; shares the bytes. */
export const payloadOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(headerBytes);

/** The value with a frame before it. */
export function frame(id: number, value: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(headerBytes + value.length);
  framed[0] = magic;
  framed.writeUInt32BE(id, 1);
  framed.set(value, headerBytes);
  return framed;
}
