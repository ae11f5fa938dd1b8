import {
  type Reader,
  readCount,
  readSigned,
  readText,
  readVarint,
  type Writer,
  writeSigned,
  writeText,
  writeVarint,
} from './bytes.ts';
import { compareText } from './text.ts';

/** How many more than asked for are kept, so that a decision that comes late still finds what was newest then. */
export const spare = 3;

/** The newest values by (event time, event id), newest first. Which are kept depends on the set of events only. */
export interface Newest {
  readonly times: number[];
  readonly ids: string[];
  readonly values: (string | number)[];
}

export const makeNewest = (): Newest => ({ times: [], ids: [], values: [] });

/** Puts a value in its place if it is among the `keep` newest; an event that is there already changes nothing. */
export function insertNewest(
  list: Newest,
  keep: number,
  time: number,
  id: string,
  value: string | number,
): void {
  const { times, ids, values } = list;
  let at = times.length;
  while (at > 0) {
    const order = (times[at - 1] ?? 0) - time || compareText(ids[at - 1] ?? '', id);
    if (order === 0) return;
    if (order > 0) break;
    at--;
  }
  if (at >= keep) return;
  times.splice(at, 0, time);
  ids.splice(at, 0, id);
  values.splice(at, 0, value);
  if (times.length > keep) {
    times.pop();
    ids.pop();
    values.pop();
  }
}

/** Index of the newest value not after `at`; the length if there is none. */
export function newestAt(list: Newest, at: number): number {
  let index = 0;
  while (index < list.times.length && (list.times[index] ?? 0) > at) index++;
  return index;
}

export const newestInWords = ({ times }: Newest, keep: number): string =>
  times.length === 0
    ? 'nothing kept'
    : `the ${times.length} newest values, at most ${keep}, from ${new Date(times[times.length - 1] ?? 0).toISOString()} to ${new Date(times[0] ?? 0).toISOString()}`;

export function mergeNewest(into: Newest, from: Newest, keep: number): void {
  for (let i = 0; i < from.times.length; i++)
    insertNewest(into, keep, from.times[i] ?? 0, from.ids[i] ?? '', from.values[i] ?? '');
}

export function writeNewest(
  writer: Writer,
  list: Newest,
  base: number,
  value: (value: string | number) => void,
): void {
  writeVarint(writer, list.times.length);
  let previous = base;
  for (let i = 0; i < list.times.length; i++) {
    const time = list.times[i] ?? 0;
    if (i === 0) writeSigned(writer, previous - time);
    else writeVarint(writer, previous - time);
    previous = time;
    writeText(writer, list.ids[i] ?? '');
    value(list.values[i] ?? '');
  }
}

export function readNewest(reader: Reader, base: number, value: () => string | number): Newest {
  const list = makeNewest();
  const count = readCount(reader, 3);
  let time = base;
  for (let i = 0; i < count; i++) {
    time -= i === 0 ? readSigned(reader) : readVarint(reader);
    list.times.push(time);
    list.ids.push(readText(reader));
    list.values.push(value());
  }
  return list;
}
