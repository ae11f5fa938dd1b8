import {
  type Reader,
  readCount,
  readSigned,
  readVarint,
  reserve,
  unreadable,
  type Writer,
  writeSigned,
  writeVarint,
} from './bytes.ts';
import { hashed, hashText } from './hash.ts';

/**
 * The event ids a subject remembers, as 64-bit hashes: the newest by (event time, hash), as many as the workspace
 * says, and none from longer than its window before the subject's newest event. Beyond that a repeat counts again.
 * Which ids are kept depends on the set of events only. One slab of numbers, used from `start` to before `end`.
 */
export interface Remembered {
  times: Float64Array;
  highs: Int32Array;
  lows: Int32Array;
  start: number;
  end: number;
}

const firstCapacity = 8;

export const makeRemembered = (capacity = firstCapacity): Remembered => ({
  times: new Float64Array(capacity),
  highs: new Int32Array(capacity),
  lows: new Int32Array(capacity),
  start: 0,
  end: 0,
});

/** Remembers an event id; false if it is one of those remembered already. */
export function remember(ids: Remembered, id: string, time: number, limit: number): boolean {
  hashText(id);
  const { high, low } = hashed;
  const { lows, highs, end } = ids;
  for (let i = ids.start; i < end; i++) if (lows[i] === low && highs[i] === high) return false;
  insert(ids, time, high, low, limit);
  return true;
}

/** Forgets ids of events before this time. */
export function forgetBefore(ids: Remembered, time: number): void {
  while (ids.start < ids.end && (ids.times[ids.start] ?? 0) < time) ids.start++;
}

/** Adds another subject's ids. */
export function mergeRemembered(into: Remembered, from: Remembered, limit: number): void {
  for (let i = from.start; i < from.end; i++) {
    const high = from.highs[i] ?? 0;
    const low = from.lows[i] ?? 0;
    if (!has(into, high, low)) insert(into, from.times[i] ?? 0, high, low, limit);
  }
}

function has(ids: Remembered, high: number, low: number): boolean {
  for (let i = ids.start; i < ids.end; i++) if (ids.lows[i] === low && ids.highs[i] === high) return true;
  return false;
}

function insert(ids: Remembered, time: number, high: number, low: number, limit: number): void {
  let at = ids.end;
  while (at > ids.start && isAfter(ids, at - 1, time, high, low)) at--;
  if (ids.end - ids.start >= limit) {
    if (at === ids.start) return;
    ids.start++;
  }
  if (ids.end === ids.times.length) at -= makeRoom(ids);
  const { times, highs, lows, end } = ids;
  if (at < end) {
    times.copyWithin(at + 1, at, end);
    highs.copyWithin(at + 1, at, end);
    lows.copyWithin(at + 1, at, end);
  }
  times[at] = time;
  highs[at] = high;
  lows[at] = low;
  ids.end++;
}

function isAfter(ids: Remembered, i: number, time: number, high: number, low: number): boolean {
  const otherTime = ids.times[i] ?? 0;
  if (otherTime !== time) return otherTime > time;
  const otherHigh = ids.highs[i] ?? 0;
  return otherHigh !== high ? otherHigh > high : (ids.lows[i] ?? 0) > low;
}

/** Moves the used part to the front, of a larger slab if it is nearly full. Returns by how much it moved. */
function makeRoom(ids: Remembered): number {
  const { times, highs, lows, start, end } = ids;
  const capacity = times.length;
  if (start < capacity >> 2) {
    ids.times = new Float64Array(capacity * 2);
    ids.highs = new Int32Array(capacity * 2);
    ids.lows = new Int32Array(capacity * 2);
  }
  ids.times.set(times.subarray(start, end));
  ids.highs.set(highs.subarray(start, end));
  ids.lows.set(lows.subarray(start, end));
  ids.start = 0;
  ids.end = end - start;
  return start;
}

export function writeRemembered(writer: Writer, ids: Remembered, base: number): void {
  const count = ids.end - ids.start;
  writeVarint(writer, count);
  if (count === 0) return;
  let previous = ids.times[ids.start] ?? 0;
  writeSigned(writer, base - previous);
  for (let i = ids.start + 1; i < ids.end; i++) {
    const time = ids.times[i] ?? 0;
    writeVarint(writer, time - previous);
    previous = time;
  }
  reserve(writer, count * 8);
  const { bytes } = writer;
  let at = writer.length;
  for (let i = ids.start; i < ids.end; i++) at = writeHash(bytes, at, ids.highs[i] ?? 0, ids.lows[i] ?? 0);
  writer.length = at;
}

function writeHash(bytes: Buffer, at: number, high: number, low: number): number {
  bytes[at] = high;
  bytes[at + 1] = high >> 8;
  bytes[at + 2] = high >> 16;
  bytes[at + 3] = high >> 24;
  bytes[at + 4] = low;
  bytes[at + 5] = low >> 8;
  bytes[at + 6] = low >> 16;
  bytes[at + 7] = low >> 24;
  return at + 8;
}

export function readRemembered(reader: Reader, base: number, limit: number): Remembered {
  const count = readCount(reader, 9);
  const ids = makeRemembered(Math.max(firstCapacity, count + (count >> 2)));
  let time = base;
  for (let i = 0; i < count; i++) {
    time = i === 0 ? base - readSigned(reader) : time + readVarint(reader);
    ids.times[i] = time;
  }
  const { bytes } = reader;
  let at = reader.at;
  if (at + count * 8 > reader.end) unreadable('it ends within the remembered event ids', at);
  for (let i = 0; i < count; i++, at += 8) {
    ids.highs[i] = wordAt(bytes, at);
    ids.lows[i] = wordAt(bytes, at + 4);
  }
  reader.at = at;
  ids.end = count;
  ids.start = Math.max(0, count - limit);
  return ids;
}

const wordAt = (bytes: Buffer, at: number): number =>
  (bytes[at] ?? 0) |
  ((bytes[at + 1] ?? 0) << 8) |
  ((bytes[at + 2] ?? 0) << 16) |
  ((bytes[at + 3] ?? 0) << 24);
