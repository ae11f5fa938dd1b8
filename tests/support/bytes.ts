import { expect } from 'vitest';
import { makeReader, makeWriter, type Reader, type Writer } from '../../stream/features/parts/bytes.ts';

/** Writes, reads back what was written, and asserts that all of it was read. */
export function throughBytes<T>(write: (writer: Writer) => void, read: (reader: Reader) => T): T {
  const writer = makeWriter();
  write(writer);
  const reader = makeReader(writer.bytes.subarray(0, writer.length));
  const value = read(reader);
  expect(reader.at).toBe(reader.end);
  return value;
}
