import { crc32 } from 'node:zlib';
import { PresageError } from '../../core/index.ts';
import { measures } from './kinds/index.ts';
import type { Layout, LayoutColumn } from './layout.ts';
import {
  makeReader,
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
import { readTable, type StoredColumn, writeTable } from './parts/table-blob.ts';
import type { FeatureConfig, Machine, Plans } from './plan.ts';
import { baseTime, makeSubject, type Subject } from './subject.ts';
import { readTimers, writeTimers } from './timers/index.ts';

import { isTombstone, readTombstone, writeTombstone } from './tombstone.ts';

/**
 * A subject's blob: version (1 byte), layout (u32), position + 1, newest event time (0, or 1 and the time), sessions,
 * remembered event ids, timers (from version 2 on), links (versions 3 and 5, which only subjects with links have), then
 * in layout order each slot after its length in bytes (0: as empty) and each table (from version 4 on: before, features
 * over windows had slots too), and the CRC-32 of all that. Integers are varints, times distances from the newest. Equal
 * states give equal bytes.
 */
export const blobVersion = 5;
const withoutLinks = 4;
const firstWithTables = 4;
const oldestVersion = 1;
const hasLinks = (version: number): boolean => version === 3 || version === blobVersion;
const headerBytes = 5;
/**
 * Blobs are written one behind the other into memory that they share and that is not used again: a commit has a thousand
 * of them, and memory of its own for each costs more than the copy.
 */
const chunkBytes = 256 * 1_024;
/** Blobs that are stored are smaller; a larger one makes the memory larger, for itself. */
const roomForBlob = 68 * 1_024;
const checksumBytes = 4;
const wholeChecksum = 0x2144df1c;

export interface Codec {
  encode(subject: Subject): Uint8Array;
  /** Throws PresageError `state_unreadable` or `layout_unknown`. */
  decode(blob: Uint8Array): Subject;
  learn(layout: Layout): void;
}

/** How blobs of a layout are read. */
interface Known {
  /** Slots in order, each with the machine that reads it, or null: no longer declared. */
  readonly slots: readonly (Machine | null)[];
  /** Null: blobs of this layout have none. */
  readonly tables: readonly (readonly StoredColumn[])[] | null;
}

export function makeCodec(
  { machines, tables }: Plans,
  layout: Layout,
  config: FeatureConfig,
  rules: SessionRules,
): Codec {
  const writer: Writer = { bytes: Buffer.alloc(0), length: 0 };
  const slotted = machines.filter(({ kind }) => kind.column === undefined);
  const layouts = new Map<number, Known>();

  function learn({ id, slots, tables }: Layout): void {
    const left = [...machines];
    const take = (hash: string): Machine | null => {
      const found = left.findIndex((machine) => machine.feature.hash === hash);
      return found < 0 ? null : (left.splice(found, 1)[0] ?? null);
    };
    const columnOf = ([hash, form]: LayoutColumn): StoredColumn => ({
      cell: measures[form].cell,
      column: take(hash)?.kind.column ?? null,
    });
    layouts.set(id, {
      slots: slots.map(take),
      tables: tables === null ? null : tables.map((columns) => columns.map(columnOf)),
    });
  }
  learn(layout);

  return {
    learn,
    encode(subject) {
      if (subject.moved !== null) return writeTombstone(subject, subject.moved);
      if (writer.bytes.length - writer.length < roomForBlob) {
        writer.bytes = Buffer.allocUnsafeSlow(chunkBytes);
        writer.length = 0;
      }
      const from = writer.length;
      writer.bytes[from] = subject.links === null ? withoutLinks : blobVersion;
      writer.bytes.writeUInt32LE(layout.id, from + 1);
      writer.length = from + headerBytes;
      writeHead(writer, subject);
      for (const machine of slotted) writeSlot(writer, machine, subject);
      for (const table of tables) writeTable(writer, table, subject);
      reserve(writer, checksumBytes);
      const { bytes, length } = writer;
      bytes.writeInt32LE(crc32(bytes.subarray(from, length)) | 0, length);
      writer.length = length + checksumBytes;
      return bytes.subarray(from, writer.length);
    },
    decode(blob) {
      if (isTombstone(blob))
        return readTombstone(
          blob,
          machines.map(({ kind }) => kind.empty()),
        );
      const reader = openBlob(blob);
      const id = reader.bytes.readUInt32LE(1);
      const known = layouts.get(id);
      if (known === undefined) throw layoutUnknown(id);
      try {
        return readSubject(reader, known, blob[0] ?? 0);
      } catch (error) {
        if (error instanceof PresageError) throw error;
        return unreadable(`it makes no sense (${String(error)})`, reader.at);
      }
    },
  };

  function readSubject(reader: Reader, { slots, tables }: Known, version: number): Subject {
    if (version >= firstWithTables !== (tables !== null)) unreadable('its layout is of another version', 0);
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
    if (hasLinks(version)) subject.links = readLinks(reader, base);
    for (const machine of slots) readSlot(reader, machine, subject);
    for (const columns of tables ?? []) readTable(reader, columns, subject);
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
