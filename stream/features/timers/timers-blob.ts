import {
  type Reader,
  readByte,
  readCount,
  readSigned,
  readText,
  readVarint,
  unreadable,
  type Writer,
  writeByte,
  writeSigned,
  writeText,
  writeVarint,
} from '../parts/bytes.ts';
import { isBlank, makeTimers, type Timers } from './timers.ts';

const flag = { indexed: 1, timers: 2, simulated: 4, stretches: 8 } as const;

/**
 * A byte of flags; when the subject's entry in the index is due, if it has one; and, if there are timers, their four
 * lists, and a fifth where sessions are named. Times are distances from `base`. Subjects that wait for nothing take one
 * byte.
 */
export function writeTimers(writer: Writer, indexed: number, timers: Timers | null, base: number): void {
  const isThere = timers !== null && !isBlank(timers);
  const isIndexed = indexed !== Infinity;
  writeByte(
    writer,
    (isIndexed ? flag.indexed : 0) |
      (isThere ? flag.timers : 0) |
      (isThere && timers.isSimulated ? flag.simulated : 0) |
      (isThere && timers.stretches.length > 0 ? flag.stretches : 0),
  );
  if (isIndexed) writeSigned(writer, indexed - base);
  if (!isThere) return;
  writeVarint(writer, timers.pending.length);
  for (const { trigger, key, from, due, isSimulated } of timers.pending) {
    writeText(writer, trigger);
    writeText(writer, key);
    writeSigned(writer, from - base);
    writeVarint(writer, (due - from) * 2 + (isSimulated ? 1 : 0));
  }
  writeVarint(writer, timers.marks.length);
  for (const { trigger, key, after, absent, until } of timers.marks) {
    writeText(writer, trigger);
    writeText(writer, key);
    writeOptional(writer, after, base);
    writeVarint(writer, absent.length);
    for (const time of absent) writeSigned(writer, time - base);
    writeSigned(writer, until - base);
  }
  writeVarint(writer, timers.held.length);
  for (const { trigger, isTrue, firedAt } of timers.held) {
    writeText(writer, trigger);
    writeByte(writer, isTrue ? 1 : 0);
    writeOptional(writer, firedAt, base);
  }
  writeVarint(writer, timers.ended.length);
  for (const { name, last } of timers.ended) {
    writeByte(writer, name === null ? 0 : 1);
    if (name !== null) writeText(writer, name);
    writeSigned(writer, last - base);
  }
  if (timers.stretches.length === 0) return;
  writeVarint(writer, timers.stretches.length);
  for (const { name, first, last } of timers.stretches) {
    writeText(writer, name);
    writeSigned(writer, last - base);
    writeVarint(writer, last - first);
  }
}

export function readTimers(reader: Reader, base: number): { indexed: number; timers: Timers | null } {
  const flags = readByte(reader);
  if (flags > 15 || ((flags & flag.timers) === 0 && flags > flag.indexed))
    unreadable('its timers begin with unknown flags', reader.at);
  const indexed = (flags & flag.indexed) === 0 ? Infinity : readTime(reader, base);
  if ((flags & flag.timers) === 0) return { indexed, timers: null };
  const timers = makeTimers();
  timers.isSimulated = (flags & flag.simulated) !== 0;
  timers.pending = listOf(reader, 4, () => {
    const trigger = readText(reader);
    const key = readText(reader);
    const from = readTime(reader, base);
    const rest = readVarint(reader);
    return { trigger, key, from, due: from + Math.floor(rest / 2), isSimulated: rest % 2 === 1 };
  });
  timers.marks = listOf(reader, 5, () => ({
    trigger: readText(reader),
    key: readText(reader),
    after: readOptional(reader, base),
    absent: listOf(reader, 1, () => readTime(reader, base)),
    until: readTime(reader, base),
  }));
  timers.held = listOf(reader, 3, () => ({
    trigger: readText(reader),
    isTrue: readFlag(reader),
    firedAt: readOptional(reader, base),
  }));
  timers.ended = listOf(reader, 2, () => ({
    name: readFlag(reader) ? readText(reader) : null,
    last: readTime(reader, base),
  }));
  if ((flags & flag.stretches) !== 0)
    timers.stretches = listOf(reader, 3, () => {
      const name = readText(reader);
      const last = readTime(reader, base);
      return { name, first: last - readVarint(reader), last };
    });
  if (isBlank(timers)) unreadable('its timers are none', reader.at);
  return { indexed, timers };
}

function listOf<T>(reader: Reader, bytesEach: number, read: () => T): T[] {
  const count = readCount(reader, bytesEach);
  const list: T[] = [];
  for (let i = 0; i < count; i++) list.push(read());
  return list;
}

function writeOptional(writer: Writer, time: number, base: number): void {
  writeByte(writer, time === -Infinity ? 0 : 1);
  if (time !== -Infinity) writeSigned(writer, time - base);
}

const readOptional = (reader: Reader, base: number): number =>
  readFlag(reader) ? readTime(reader, base) : -Infinity;

function readFlag(reader: Reader): boolean {
  const byte = readByte(reader);
  if (byte > 1) unreadable('a flag is neither set nor not', reader.at);
  return byte === 1;
}

function readTime(reader: Reader, base: number): number {
  const time = base + readSigned(reader);
  if (!Number.isSafeInteger(time)) unreadable('a time is out of range', reader.at);
  return time;
}
