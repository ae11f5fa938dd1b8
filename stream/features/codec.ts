import { crc32 } from 'node:zlib';
import { PresageError } from '../../core/index.ts';
import type { Layout } from './layout.ts';
import {
  makeReader,
  makeWriter,
  type Reader,
  readCount,
  readSigned,
  readVarint,
  reserve,
  unreadable,
  varintBytes,
  type Writer,
  writeByte,
  writeSigned,
  writeVarint,
} from './parts/bytes.ts';
import { readLinks, writeLinks } from './parts/links.ts';
import { forgetBefore, readRemembered, writeRemembered } from './parts/remembered.ts';
import { type SessionRules, sessionAt } from './parts/sessions.ts';
import { readSessions, writeSessions } from './parts/sessions-blob.ts';
import type { FeatureConfig, Machine } from './plan.ts';
import { baseTime, makeSubject, type Subject } from './subject.ts';
import { readTimers, writeTimers } from './timers/index.ts';

import { isTombstone, readTombstone, writeTombstone } from './tombstone.ts';

/**
 * A subject's blob: version (1 byte), layout (u32), position + 1, newest event time (0, or 1 and the time), sessions,
 * remembered event ids, timers (from version 2 on), links (version 3, which only subjects with links have), then each feature's slot after its
 * length in bytes (0: as empty), in layout order, and the CRC-32 of all that. Integers are varints, times distances from the newest. Equal states give equal bytes.
 */
export const blobVersion = 3;
const withoutLinks = 2;
const oldestVersion = 1;
const headerBytes = 5;
const checksumBytes = 4;
const wholeChecksum = 0x2144df1c;

export interface Codec {
  encode(subject: Subject): Uint8Array;
  /** Throws PresageError `state_unreadable` or `layout_unknown`. */
  decode(blob: Uint8Array): Subject;
  learn(layout: Layout): void;
}

export function makeCodec(
  machines: readonly Machine[],
  layout: Layout,
  config: FeatureConfig,
  rules: SessionRules,
): Codec {
  const writer = makeWriter();
  /** For each layout known: its slots in order, each with the machine that reads it, or null: no longer declared. */
  const layouts = new Map<number, readonly (Machine | null)[]>();

  function learn({ id, features }: Layout): void {
    const left = [...machines];
    layouts.set(
      id,
      features.map((hash) => {
        const found = left.findIndex((machine) => machine.feature.hash === hash);
        return found < 0 ? null : (left.splice(found, 1)[0] ?? null);
      }),
    );
  }
  learn(layout);

  return {
    learn,
    encode(subject) {
      if (subject.moved !== null) return writeTombstone(subject, subject.moved);
      writer.length = 0;
      reserve(writer, headerBytes);
      writer.bytes[0] = subject.links === null ? withoutLinks : blobVersion;
      writer.bytes.writeUInt32LE(layout.id, 1);
      writer.length = headerBytes;
      writeHead(writer, subject);
      for (const machine of machines) writeSlot(writer, machine, subject);
      reserve(writer, checksumBytes);
      writer.bytes.writeUInt32LE(crc32(writer.bytes.subarray(0, writer.length)), writer.length);
      const blob = Buffer.allocUnsafe(writer.length + checksumBytes);
      writer.bytes.copy(blob, 0, 0, blob.length);
      return blob;
    },
    decode(blob) {
      if (isTombstone(blob))
        return readTombstone(
          blob,
          machines.map(({ kind }) => kind.empty()),
        );
      const reader = openBlob(blob);
      const id = reader.bytes.readUInt32LE(1);
      const slots = layouts.get(id);
      if (slots === undefined) throw layoutUnknown(id);
      try {
        return readSubject(reader, slots, blob[0] ?? 0);
      } catch (error) {
        if (error instanceof PresageError) throw error;
        return unreadable(`it makes no sense (${String(error)})`, reader.at);
      }
    },
  };

  function readSubject(reader: Reader, slots: readonly (Machine | null)[], version: number): Subject {
    const position = readVarint(reader) - 1;
    const newest = readNewestTime(reader);
    const base = baseTime(newest);
    const sessions = readSessions(reader, base, rules);
    const remembered = readRemembered(reader, base, config.deduplicationIds);
    forgetBefore(remembered, newest - config.deduplicationMs);
    const subject = makeSubject(new Array(machines.length).fill(null), sessions, remembered);
    subject.position = position;
    subject.newest = newest;
    if (version >= 2) {
      const { indexed, timers } = readTimers(reader, base);
      subject.indexed = indexed;
      subject.timers = timers;
    }
    if (version >= 3) subject.links = readLinks(reader, base);
    for (const machine of slots) readSlot(reader, machine, subject);
    for (const { kind, index } of machines) subject.slots[index] ??= kind.empty();
    if (reader.at !== reader.end) unreadable('it goes on after its end', reader.at);
    subject.session = sessionAt(subject.sessions, subject.newest, rules.gapMs)?.id ?? null;
    return subject;
  }
}

/** Checks version and checksum, and stands at the first byte after the header. */
function openBlob(blob: Uint8Array): Reader {
  const reader = makeReader(blob);
  if (blob.byteLength < headerBytes + checksumBytes) unreadable('it is too short', blob.byteLength);
  const version = reader.bytes[0] ?? 0;
  if (version < oldestVersion || version > blobVersion)
    unreadable(`it has version ${version}, this program writes ${blobVersion}`, 0);
  // A property of CRC-32: with its own checksum behind it, every content has the same checksum.
  if (crc32(reader.bytes) !== wholeChecksum) unreadable('its checksum does not fit its content', reader.end);
  reader.end -= checksumBytes;
  reader.at = headerBytes;
  return reader;
}

function readNewestTime(reader: Reader): number {
  const isThere = readVarint(reader);
  if (isThere > 1) unreadable('its newest time is neither there nor not', reader.at);
  return isThere === 1 ? readSigned(reader) : -Infinity;
}

function writeHead(writer: Writer, subject: Subject): void {
  writeVarint(writer, subject.position + 1);
  writeByte(writer, subject.newest === -Infinity ? 0 : 1);
  if (subject.newest !== -Infinity) writeSigned(writer, subject.newest);
  const base = baseTime(subject.newest);
  writeSessions(writer, subject.sessions, base);
  writeRemembered(writer, subject.remembered, base);
  writeTimers(writer, subject.indexed, subject.timers, base);
  if (subject.links !== null) writeLinks(writer, subject.links, base);
}

/** Most slots are shorter than 128 bytes: one byte is left for the length, and more made where it is not enough. */
function writeSlot(writer: Writer, { kind, index }: Machine, subject: Subject): void {
  const lengthAt = writer.length;
  writeByte(writer, 0);
  kind.encode(subject.slots[index], writer, subject);
  const from = lengthAt + 1;
  const size = writer.length - from;
  if (size < 0x80) {
    writer.bytes[lengthAt] = size;
    return;
  }
  const lengthBytes = varintBytes(size);
  reserve(writer, lengthBytes);
  writer.bytes.copyWithin(lengthAt + lengthBytes, from, from + size);
  writer.length = lengthAt;
  writeVarint(writer, size);
  writer.length += size;
}

function readSlot(reader: Reader, machine: Machine | null, subject: Subject): void {
  const size = readCount(reader, 1);
  const { end } = reader;
  const slotEnd = reader.at + size;
  if (machine !== null && size > 0) {
    reader.end = slotEnd;
    subject.slots[machine.index] = machine.kind.decode(reader, subject);
    if (reader.at !== slotEnd) unreadable(`the state of ${machine.feature.name} is too long`, reader.at);
  }
  reader.at = slotEnd;
  reader.end = end;
}

const layoutUnknown = (id: number): PresageError =>
  new PresageError(
    'layout_unknown',
    `A stored state blob has layout ${id.toString(16)}, which this program has not been told of. Load the stored layouts before the blobs.`,
    { details: { layout: id } },
  );
