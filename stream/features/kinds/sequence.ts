import type { CompiledFeature } from '../../../workspace/index.ts';
import {
  readCount,
  readSigned,
  readText,
  readVarint,
  writeSigned,
  writeText,
  writeVarint,
} from '../parts/bytes.ts';
import { completions, makeSteps, type Steps, takeStep } from '../parts/steps.ts';
import { sequenceSql } from '../sql/sequence.ts';
import { baseTime, type Subject } from '../subject.ts';
import type { Kind } from './kind.ts';

/**
 * Sequences of events (A, then B, at most `within` from first to last, if stated with the same value of a property)
 * that lie in the window (t - window, t]: how many, seconds since the last was completed (null without one), or
 * whether there is any. They are found anew at each reading (parts/steps.ts), so late events find their place. The slot
 * is the newest `keys` steps in the window by (event time, event id): a function of the set of events, and exact
 * while the window has no more steps; beyond it only sequences among those count.
 */
export function sequence(feature: CompiledFeature): Kind<Steps> {
  const { keys, windowMs, withinMs, steps, by, measure } = feature;
  /** The newest time that has left the window. */
  const goneAt = (slot: Steps, subject: Subject): number =>
    Math.max(subject.newest, slot.times[slot.times.length - 1] ?? -Infinity) - windowMs;
  return {
    reads: 'nothing',
    sql: {
      bound: null,
      value: (parts) => sequenceSql(feature, parts),
      beyond: ({ steps: matches }) => `countIf(${matches.join(' OR ')}) > ${keys}`,
    },
    empty: makeSteps,
    update(slot, seen, subject) {
      const gone = goneAt(slot, subject);
      if (seen.time > gone) takeStep(slot, seen, by === null ? '' : seen.key, keys);
    },
    read(slot, at, subject) {
      const after = Math.max(at - windowMs, goneAt(slot, subject));
      const { count, last } = completions(slot, after, at, steps.length, withinMs);
      if (measure === 'any') return count > 0;
      if (measure === 'since') return count === 0 ? null : (at - last) / 1_000;
      return count;
    },
    encode(slot, writer, subject) {
      const gone = goneAt(slot, subject);
      let first = 0;
      while (first < slot.times.length && (slot.times[first] ?? 0) <= gone) first++;
      if (first === slot.times.length) return;
      writeVarint(writer, slot.times.length - first);
      let previous = baseTime(subject.newest);
      for (let i = slot.times.length - 1; i >= first; i--) {
        const time = slot.times[i] ?? 0;
        if (i === slot.times.length - 1) writeSigned(writer, previous - time);
        else writeVarint(writer, previous - time);
        previous = time;
        writeText(writer, slot.ids[i] ?? '');
        writeVarint(writer, slot.masks[i] ?? 0);
        if (by !== null) writeText(writer, slot.keys[i] ?? '');
      }
    },
    decode(reader, subject) {
      const slot = makeSteps();
      let time = baseTime(subject.newest);
      const count = readCount(reader, 3);
      for (let i = 0; i < count; i++) {
        time -= i === 0 ? readSigned(reader) : readVarint(reader);
        slot.times.push(time);
        slot.ids.push(readText(reader));
        slot.masks.push(readVarint(reader));
        slot.keys.push(by === null ? '' : readText(reader));
      }
      for (const list of [slot.times, slot.ids, slot.masks, slot.keys]) list.reverse();
      return slot;
    },
    words: ({ times }) => `${times.length} steps, at most ${keys}, of the last ${windowMs / 1_000} s`,
    merge(into, from) {
      from.times.forEach((time, i) => {
        const mask = from.masks[i] ?? 0;
        const seen = { time, id: from.ids[i] ?? '', step: 0 };
        for (let step = 0; step < steps.length; step++)
          if ((mask & (1 << step)) !== 0) takeStep(into, { ...seen, step }, from.keys[i] ?? '', keys);
      });
    },
  };
}
