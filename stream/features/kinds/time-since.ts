import { readCount, readSigned, readVarint, writeSigned, writeVarint } from '../parts/bytes.ts';
import { spare } from '../parts/newest.ts';
import { baseTime } from '../subject.ts';
import type { Kind } from './kind.ts';

const keep = 1 + spare;

/**
 * Seconds of event time since the newest such event; null of nothing. The slot is the newest few different event
 * times, newest first, so that a decision that comes late does not count from an event of its future.
 */
export function timeSince(): Kind<number[]> {
  return {
    reads: 'nothing',
    sql: {
      bound: null,
      value: ({ matches }) =>
        `if(uniqExactIf(time, ${matches} AND time > at) > ${spare} OR countIf(${matches} AND time <= at) = 0, NULL,
    toFloat64(any(at) - maxIf(time, ${matches} AND time <= at)) / 1000)`,
    },
    empty: () => [],
    update: (times, seen) => insert(times, seen.time),
    read(times, at) {
      for (const time of times) if (time <= at) return (at - time) / 1_000;
      return null;
    },
    encode(times, writer, subject) {
      const [newest, ...older] = times;
      if (newest === undefined) return;
      writeVarint(writer, times.length);
      writeSigned(writer, baseTime(subject.newest) - newest);
      let previous = newest;
      for (const time of older) {
        writeVarint(writer, previous - time - 1);
        previous = time;
      }
    },
    decode(reader, subject) {
      const times: number[] = [];
      let time = baseTime(subject.newest);
      const count = readCount(reader, 1);
      for (let i = 0; i < count; i++) {
        time -= i === 0 ? readSigned(reader) : readVarint(reader) + 1;
        times.push(time);
      }
      return times;
    },
    words: (times) =>
      times.length === 0 ? 'no time kept' : `the ${times.length} newest times, at most ${keep}`,
    merge(into, from) {
      for (const time of from) insert(into, time);
    },
  };
}

function insert(times: number[], time: number): void {
  let at = times.length;
  while (at > 0 && (times[at - 1] ?? 0) < time) at--;
  if (at >= keep || (at > 0 && times[at - 1] === time)) return;
  times.splice(at, 0, time);
  if (times.length > keep) times.pop();
}
