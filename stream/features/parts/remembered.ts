import {
  mostVarintBytes,
  putVarint,
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
import { hashed } from './hash.ts';

/**
 * The event ids a subject remembers, as 64-bit hashes: the newest by (event time, hash), as many as the workspace
 * says, and none from longer than its window before the subject's newest event. Beyond that a repeat counts again.
 * Which ids are kept depends on the set of events only. Slabs of numbers, used from `start` to before `end`.
 */
export interface Remembered {
  times: Float64Array;
  /** Low halves of the hashes, then, from `times.length` on, the high halves. */
  hashes: Int32Array;
  start: number;
  end: number;
  /**
   * A bit for each remembered low half (and for some already forgotten), so that nearly every new id is known to be
   * new without a scan; null while there are few ids, or until it is needed.
   */
  marks: Int32Array | null;
}

const firstCapacity = 8;
/** With fewer ids a scan is quicker than marks are to make; measured: 2.8 ns an id, so 3 us for 1,024. */
const idsWithoutMarks = 48;
/** Where the blob's byte order is the machine's own, whole slabs are copied. */
/** Fewer words than this are copied sooner one by one than by a view of their memory. */
const wordsOneByOne = 32;
const isLittleEndian = new Uint8Array(new Int32Array([1]).buffer)[0] === 1;

export const makeRemembered = (capacity = firstCapacity): Remembered => ({
  times: new Float64Array(capacity),
  hashes: new Int32Array(capacity * 2),
  start: 0,
  end: 0,
  marks: null,
});

/** Remembers the event id whose hash is in `hashed`; false if it is one of those remembered already. */
export function remember(ids: Remembered, time: number, limit: number): boolean {
  const { high, low } = hashed;
  if (has(ids, high, low)) return false;
  insert(ids, time, high, low, limit);
  return true;
}

/** Whether the event id whose hash is in `hashed` is one of those remembered. */
export function isRemembered(ids: Remembered): boolean {
  return has(ids, hashed.high, hashed.low);
}

/** Forgets ids of events before this time. */
export function forgetBefore(ids: Remembered, time: number): void {
  while (ids.start < ids.end && (ids.times[ids.start] ?? 0) < time) ids.start++;
}

/** Event time of the newest id; -Infinity: none. */
export const newestRemembered = (ids: Remembered): number =>
  ids.end > ids.start ? (ids.times[ids.end - 1] ?? -Infinity) : -Infinity;

/** Adds another subject's ids. */
export function mergeRemembered(into: Remembered, from: Remembered, limit: number): void {
  for (let i = from.start; i < from.end; i++) {
    const low = from.hashes[i] ?? 0;
    const high = from.hashes[from.times.length + i] ?? 0;
    if (!has(into, high, low)) insert(into, from.times[i] ?? 0, high, low, limit);
  }
}

function has(ids: Remembered, high: number, low: number): boolean {
  const { hashes, end } = ids;
  if (end - ids.start > idsWithoutMarks) {
    ids.marks ??= marksOf(ids);
    if (!isMarked(ids.marks, low)) return false;
  }
  const highs = ids.times.length;
  for (let i = ids.start; i < end; i++) if (hashes[i] === low && hashes[highs + i] === high) return true;
  return false;
}

/** Eight bits for each place: at most every eighth new id is taken for a known one and looked for. */
function marksOf({ hashes, times, start, end }: Remembered): Int32Array {
  const marks = new Int32Array(times.length >> 2);
  for (let i = start; i < end; i++) mark(marks, hashes[i] ?? 0);
  return marks;
}

function mark(marks: Int32Array, low: number): void {
  const word = (low >>> 5) & (marks.length - 1);
  marks[word] = (marks[word] ?? 0) | (1 << (low & 31));
}

const isMarked = (marks: Int32Array, low: number): boolean =>
  ((marks[(low >>> 5) & (marks.length - 1)] ?? 0) & (1 << (low & 31))) !== 0;

function insert(ids: Remembered, time: number, high: number, low: number, limit: number): void {
  let at = ids.end;
  while (at > ids.start && isAfter(ids, at - 1, time, high, low)) at--;
  if (ids.end - ids.start >= limit) {
    if (at === ids.start) return;
    ids.start++;
  }
  if (ids.end === ids.times.length) at -= makeRoom(ids);
  const { times, hashes, end } = ids;
  const highs = times.length;
  if (at < end) {
    times.copyWithin(at + 1, at, end);
    hashes.copyWithin(at + 1, at, end);
    hashes.copyWithin(highs + at + 1, highs + at, highs + end);
  }
  times[at] = time;
  hashes[at] = low;
  hashes[highs + at] = high;
  ids.end++;
  if (ids.marks !== null) mark(ids.marks, low);
}

function isAfter(ids: Remembered, i: number, time: number, high: number, low: number): boolean {
  const otherTime = ids.times[i] ?? 0;
  if (otherTime !== time) return otherTime > time;
  const otherHigh = ids.hashes[ids.times.length + i] ?? 0;
  return otherHigh !== high ? otherHigh > high : (ids.hashes[i] ?? 0) > low;
}

/** Moves the used part to the front, of larger slabs if these are nearly full. Returns by how much it moved. */
function makeRoom(ids: Remembered): number {
  const { times, hashes, start, end } = ids;
  const capacity = times.length;
  if (start < capacity >> 2) {
    ids.times = new Float64Array(capacity * 2);
    ids.hashes = new Int32Array(capacity * 4);
  }
  ids.times.set(times.subarray(start, end));
  // Low halves first: into the same slab they never reach the high halves, which are still to be moved.
  ids.hashes.set(hashes.subarray(start, end));
  ids.hashes.set(hashes.subarray(capacity + start, capacity + end), ids.times.length);
  ids.start = 0;
  ids.end = end - start;
  // Made anew when next needed, without the ids forgotten since.
  ids.marks = null;
  return start;
}

/** Count, event times oldest first as distances, low halves, high halves. */
export function writeRemembered(writer: Writer, ids: Remembered, base: number): void {
  const { times, hashes, start, end } = ids;
  const count = end - start;
  writeVarint(writer, count);
  if (count === 0) return;
  let previous = times[start] as number;
  writeSigned(writer, base - previous);
  reserve(writer, count * mostVarintBytes);
  const { bytes } = writer;
  let at = writer.length;
  for (let i = start + 1; i < end; i++) {
    const time = times[i] as number;
    at = putVarint(bytes, at, time - previous);
    previous = time;
  }
  writer.length = at;
  writeWords(writer, hashes, start, end);
  writeWords(writer, hashes, times.length + start, times.length + end);
}

function writeWords(writer: Writer, words: Int32Array, from: number, to: number): void {
  reserve(writer, (to - from) * 4);
  const { bytes } = writer;
  let at = writer.length;
  if (to - from > wordsOneByOne && isLittleEndian)
    bytes.set(new Uint8Array(words.buffer, from * 4, (to - from) * 4), at);
  else for (let i = from; i < to; i++, at += 4) writeWord(bytes, at, words[i] ?? 0);
  writer.length += (to - from) * 4;
}

function writeWord(bytes: Buffer, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >> 8;
  bytes[at + 2] = word >> 16;
  bytes[at + 3] = word >> 24;
}

export function readRemembered(reader: Reader, base: number, limit: number): Remembered {
  const count = readCount(reader, 9);
  const ids = makeRemembered(capacityFor(count));
  const { times, hashes } = ids;
  let time = base;
  for (let i = 0; i < count; i++) {
    time = i === 0 ? base - readSigned(reader) : time + readVarint(reader);
    times[i] = time;
  }
  if (reader.at + count * 8 > reader.end) unreadable('it ends within the remembered event ids', reader.at);
  readWords(reader, hashes, 0, count);
  readWords(reader, hashes, times.length, times.length + count);
  ids.end = count;
  ids.start = Math.max(0, count - limit);
  return ids;
}

/** A power of two, as marks need it, with room for some more. */
function capacityFor(count: number): number {
  let capacity = firstCapacity;
  while (capacity < count + (count >> 2)) capacity *= 2;
  return capacity;
}

function readWords(reader: Reader, words: Int32Array, from: number, to: number): void {
  const { bytes, at } = reader;
  reader.at += (to - from) * 4;
  if (to - from > wordsOneByOne && isLittleEndian)
    new Uint8Array(words.buffer, from * 4, (to - from) * 4).set(bytes.subarray(at, reader.at));
  else for (let i = from; i < to; i++) words[i] = readWord(bytes, at + (i - from) * 4);
}

const readWord = (bytes: Buffer, at: number): number =>
  (bytes[at] ?? 0) |
  ((bytes[at + 1] ?? 0) << 8) |
  ((bytes[at + 2] ?? 0) << 16) |
  ((bytes[at + 3] ?? 0) << 24);
