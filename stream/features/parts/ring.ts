import {
  type Reader,
  readCount,
  readSigned,
  readVarint,
  reserve,
  type Writer,
  writeSigned,
  writeVarint,
} from './bytes.ts';

/**
 * The sawtooth window: a ring of equal buckets in event time, of which only those that saw an event are kept.
 * `[bucket, ...cell, bucket, ...cell, ...]`, buckets ascending; a cell is a fixed number of numbers.
 * The value at t covers the buckets (b(t) - n, b(t)].
 */
export type Ring = number[];

/** What one bucket holds, and how it is written. A cell's numbers begin at `at`. */
export interface Cell {
  /** A bucket's numbers before its first event. */
  readonly blank: readonly number[];
  add(ring: Ring, at: number, amount: number): void;
  /** Adds `from`'s cell at `fromAt` to the cell at `at`. */
  combine(ring: Ring, at: number, from: Ring, fromAt: number): void;
  /** Writes the cell at `at` into at most `mostBytes` bytes from `to` on; returns the place behind it. */
  put(bytes: Buffer, to: number, ring: Ring, at: number): number;
  readonly mostBytes: number;
  /** Appends one cell. */
  read(reader: Reader, ring: Ring): void;
  /** The value of the cells that begin at `from`, `from + stride`... before `to`; null if none saw an event. */
  value(ring: Ring, from: number, to: number, stride: number, scale: number): number | null;
}

/** The bucket of an event time; -Infinity of -Infinity. */
export const bucketOf = (time: number, bucketMs: number): number => Math.floor(time / bucketMs);

/** The newest bucket with an event; -Infinity if there is none. */
export function lastBucket(ring: Ring, stride: number): number {
  // Never read below the array: that is a property look-up, tens of times slower.
  return ring.length === 0 ? -Infinity : (ring[ring.length - stride] ?? -Infinity);
}

/** Index of a bucket's entry, made if absent. `oldest` is the newest bucket that is out: entries up to it may go. */
export function placeOf(ring: Ring, cell: Pick<Cell, 'blank'>, bucket: number, oldest: number): number {
  const stride = cell.blank.length + 1;
  let at = ring.length - stride;
  if (at >= 0 && ring[at] === bucket) return at;
  if (at < 0 || (ring[at] ?? 0) < bucket) {
    return append(ring, cell, bucket, oldest);
  }
  while (at >= 0 && (ring[at] ?? 0) > bucket) at -= stride;
  if (at >= 0 && ring[at] === bucket) return at;
  ring.splice(at + stride, 0, bucket, ...cell.blank);
  return at + stride;
}

/** In the place of entries that are out, if there are any: making a ring shorter and longer again would make it anew. */
function append(ring: Ring, { blank }: Pick<Cell, 'blank'>, bucket: number, oldest: number): number {
  const stride = blank.length + 1;
  const from = indexAfter(ring, stride, oldest);
  const at = ring.length - from;
  if (from === 0) {
    ring.push(bucket);
    for (let i = 0; i < blank.length; i++) ring.push(blank[i] as number);
    return at;
  }
  for (let i = 0; i < at; i++) ring[i] = ring[from + i] as number;
  ring[at] = bucket;
  for (let i = 0; i < blank.length; i++) ring[at + 1 + i] = blank[i] as number;
  ring.length = at + stride;
  return at;
}

/** Index of the first entry whose bucket is above `bucket`; the ring's length if there is none. */
export function indexAfter(ring: Ring, stride: number, bucket: number): number {
  let at = 0;
  while (at < ring.length && (ring[at] ?? 0) <= bucket) at += stride;
  return at;
}

/** The same, from the other end: quicker for a bucket that is among the newest. */
export function endAt(ring: Ring, stride: number, bucket: number): number {
  let at = ring.length;
  while (at > 0 && (ring[at - stride] ?? 0) > bucket) at -= stride;
  return at;
}

/** Writes entries with buckets above `oldest`, newest first, as distances; `base` is the newest event's bucket. */
export function writeRing(writer: Writer, cell: Cell, ring: Ring, oldest: number, base: number): void {
  const stride = cell.blank.length + 1;
  const first = indexAfter(ring, stride, oldest);
  writeVarint(writer, (ring.length - first) / stride);
  let previous = base;
  for (let at = ring.length - stride; at >= first; at -= stride) {
    const bucket = ring[at] ?? 0;
    // Only the newest can lie ahead of the base (system events do not move it), so only it needs a sign.
    if (at === ring.length - stride) writeSigned(writer, previous - bucket);
    else writeVarint(writer, previous - bucket - 1);
    previous = bucket;
    reserve(writer, cell.mostBytes);
    writer.length = cell.put(writer.bytes, writer.length, ring, at + 1);
  }
}

export function readRing(reader: Reader, cell: Cell, base: number): Ring {
  const stride = cell.blank.length + 1;
  const count = readCount(reader, 1);
  const reversed: number[] = [];
  let bucket = base;
  for (let i = 0; i < count; i++) {
    bucket -= i === 0 ? readSigned(reader) : readVarint(reader) + 1;
    reversed.push(bucket);
    cell.read(reader, reversed);
  }
  const ring: Ring = [];
  for (let at = reversed.length - stride; at >= 0; at -= stride) {
    for (let i = at; i < at + stride; i++) ring.push(reversed[i] ?? 0);
  }
  return ring;
}

export function mergeRing(into: Ring, from: Ring, cell: Cell): void {
  const stride = cell.blank.length + 1;
  for (let at = 0; at < from.length; at += stride) {
    const place = placeOf(into, cell, from[at] ?? 0, -Infinity);
    cell.combine(into, place + 1, from, at + 1);
  }
}

/** For people: how much of a ring is in use, and from when to when. */
export function ringInWords(ring: Ring, stride: number, bucketMs: number, buckets: number): string {
  const of = `${buckets} buckets of ${bucketMs / 1_000} s`;
  if (ring.length === 0) return `none of ${of}`;
  const at = (bucket: number): string => new Date(bucket * bucketMs).toISOString();
  return `${ring.length / stride} of ${of}, from ${at(ring[0] ?? 0)} to ${at(lastBucket(ring, stride) + 1)}`;
}
