import {
  type Reader,
  readCount,
  readSigned,
  readVarint,
  type Writer,
  writeSigned,
  writeVarint,
} from './bytes.ts';

/** Buckets in event time that each hold more than a few numbers; ascending, only those that saw an event. */
export interface Buckets<T> {
  readonly at: number[];
  readonly held: T[];
}

export const makeBuckets = <T>(): Buckets<T> => ({ at: [], held: [] });

/** The newest bucket with an event; -Infinity if there is none. */
export const newestBucket = <T>({ at }: Buckets<T>): number =>
  at.length === 0 ? -Infinity : (at[at.length - 1] ?? -Infinity);

/** Index of a bucket, made if absent. Buckets up to `oldest` are out and go. */
export function openBucket<T>(buckets: Buckets<T>, bucket: number, oldest: number, make: () => T): number {
  const { at, held } = buckets;
  let index = at.length;
  while (index > 0 && (at[index - 1] ?? 0) > bucket) index--;
  if (index > 0 && at[index - 1] === bucket) return index - 1;
  at.splice(index, 0, bucket);
  held.splice(index, 0, make());
  const out = firstAfter(buckets, oldest);
  if (out > 0) {
    at.splice(0, out);
    held.splice(0, out);
  }
  return index - out;
}

/** Index of the first bucket above `bucket`. */
export function firstAfter<T>({ at }: Buckets<T>, bucket: number): number {
  let index = 0;
  while (index < at.length && (at[index] ?? 0) <= bucket) index++;
  return index;
}

/** What the buckets in (oldest, newest] hold. */
export function heldIn<T>(buckets: Buckets<T>, oldest: number, newest: number): readonly T[] {
  return buckets.held.slice(firstAfter(buckets, oldest), firstAfter(buckets, newest));
}

/** Writes buckets above `oldest`, newest first, as distances; `base` is the newest event's bucket. */
export function writeBuckets<T>(
  writer: Writer,
  buckets: Buckets<T>,
  oldest: number,
  base: number,
  write: (held: T) => void,
): void {
  const first = firstAfter(buckets, oldest);
  writeVarint(writer, buckets.at.length - first);
  let previous = base;
  for (let i = buckets.at.length - 1; i >= first; i--) {
    const bucket = buckets.at[i] ?? 0;
    if (i === buckets.at.length - 1) writeSigned(writer, previous - bucket);
    else writeVarint(writer, previous - bucket - 1);
    previous = bucket;
    write(buckets.held[i] as T);
  }
}

export function readBuckets<T>(reader: Reader, base: number, read: () => T): Buckets<T> {
  const buckets = makeBuckets<T>();
  let bucket = base;
  const count = readCount(reader, 2);
  for (let i = 0; i < count; i++) {
    bucket -= i === 0 ? readSigned(reader) : readVarint(reader) + 1;
    buckets.at.push(bucket);
    buckets.held.push(read());
  }
  buckets.at.reverse();
  buckets.held.reverse();
  return buckets;
}
