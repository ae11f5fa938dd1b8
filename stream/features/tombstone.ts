import { crc32 } from 'node:zlib';
import { PresageError } from '../../core/index.ts';
import {
  makeReader,
  makeWriter,
  readSigned,
  readText,
  readVarint,
  reserve,
  unreadable,
  writeByte,
  writeSigned,
  writeText,
  writeVarint,
} from './parts/bytes.ts';
import { type Moved, mostIdentifies } from './parts/moved.ts';
import { readRemembered, writeRemembered } from './parts/remembered.ts';
import { baseTime, makeSubject, type Subject } from './subject.ts';

/** First byte of a tombstone: the state store knows it too (`movedMark` in stream/state/port.ts). */
export const tombstoneMark = 0xfe;
const version = 1;
const headerBytes = 2;
const checksumBytes = 4;
const wholeChecksum = 0x2144df1c;

export const isTombstone = (blob: Uint8Array): boolean => blob[0] === tombstoneMark;

/**
 * What is kept of a subject that has moved: mark, version, position + 1, time of its last use, the user's id, whether the link is
 * vouched for, when its entry in the index of timers is due + 1 (0: it has none), ids of the `identify` events, CRC-32. It has no layout: it means the same whatever features there are.
 */
export function writeTombstone(subject: Subject, moved: Moved): Uint8Array {
  const writer = makeWriter();
  writeByte(writer, tombstoneMark);
  writeByte(writer, version);
  writeVarint(writer, subject.position + 1);
  writeSigned(writer, baseTime(subject.newest));
  writeText(writer, moved.to);
  writeByte(writer, moved.isVouched ? 1 : 0);
  writeVarint(writer, subject.indexed === Infinity ? 0 : subject.indexed + 1);
  writeRemembered(writer, moved.identifiedBy, baseTime(subject.newest));
  reserve(writer, checksumBytes);
  writer.bytes.writeUInt32LE(crc32(writer.bytes.subarray(0, writer.length)), writer.length);
  return Buffer.from(writer.bytes.subarray(0, writer.length + checksumBytes));
}

/** Throws PresageError `state_unreadable`. `slots` are those of an empty subject. */
export function readTombstone(blob: Uint8Array, slots: unknown[]): Subject {
  const reader = makeReader(blob);
  if (blob.byteLength < headerBytes + checksumBytes) unreadable('it is too short', blob.byteLength);
  if (reader.bytes[1] !== version) unreadable(`it is a tombstone of version ${reader.bytes[1]}`, 1);
  if (crc32(reader.bytes) !== wholeChecksum) unreadable('its checksum does not fit its content', reader.end);
  reader.end -= checksumBytes;
  reader.at = headerBytes;
  try {
    const position = readVarint(reader) - 1;
    const newest = readSigned(reader);
    const to = readText(reader);
    const vouched = readVarint(reader);
    if (vouched > 1) unreadable('its link is neither vouched for nor not', reader.at);
    const indexed = readVarint(reader);
    const identifiedBy = readRemembered(reader, newest, mostIdentifies);
    if (reader.at !== reader.end) unreadable('it goes on after its end', reader.at);
    const subject = makeSubject(slots, undefined, undefined, { to, isVouched: vouched === 1, identifiedBy });
    subject.position = position;
    subject.newest = newest;
    subject.indexed = indexed === 0 ? Infinity : indexed - 1;
    return subject;
  } catch (error) {
    if (error instanceof PresageError) throw error;
    return unreadable(`it makes no sense (${String(error)})`, reader.at);
  }
}
