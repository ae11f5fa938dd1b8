import { compareText } from './text.ts';

/** Events that are steps of a sequence, ascending by (event time, event id). */
export interface Steps {
  readonly times: number[];
  readonly ids: string[];
  /** Which steps the event can be: bit i for step i. */
  readonly masks: number[];
  /** The value that all steps of one sequence share. */
  readonly keys: string[];
}

export const makeSteps = (): Steps => ({ times: [], ids: [], masks: [], keys: [] });

/** Puts an event in its place, or notes that it is another step too; the newest `most` are kept. */
export function takeStep(
  steps: Steps,
  { time, id, step }: { readonly time: number; readonly id: string; readonly step: number },
  key: string,
  most: number,
): void {
  const { times, ids, masks, keys } = steps;
  let at = times.length;
  for (; at > 0; at--) {
    const order = (times[at - 1] ?? 0) - time || compareText(ids[at - 1] ?? '', id);
    if (order < 0) break;
    if (order > 0) continue;
    masks[at - 1] = (masks[at - 1] ?? 0) | (1 << step);
    return;
  }
  if (at === 0 && times.length >= most) return;
  times.splice(at, 0, time);
  ids.splice(at, 0, id);
  masks.splice(at, 0, 1 << step);
  keys.splice(at, 0, key);
  if (times.length <= most) return;
  times.shift();
  ids.shift();
  masks.shift();
  keys.shift();
}

/**
 * How many sequences are completed by the events in (after, until], and when the last of them was. Of each key on its
 * own: the first event that completes one ends it, and the next begins behind that event, so no two overlap. An event
 * is one step of one sequence.
 */
export function completions(
  steps: Steps,
  after: number,
  until: number,
  length: number,
  withinMs: number,
): { readonly count: number; readonly last: number } {
  /** By key: for each step, the latest beginning of a sequence that has come so far. */
  const begun = new Map<string, number[]>();
  let count = 0;
  let last = -Infinity;
  for (let i = 0; i < steps.times.length; i++) {
    const time = steps.times[i] ?? 0;
    if (time <= after || time > until) continue;
    const key = steps.keys[i] ?? '';
    let beginnings = begun.get(key);
    if (beginnings === undefined) {
      beginnings = new Array<number>(length).fill(-Infinity);
      begun.set(key, beginnings);
    }
    const mask = steps.masks[i] ?? 0;
    for (let step = length - 1; step >= 0; step--) {
      if ((mask & (1 << step)) === 0) continue;
      const beginning = step === 0 ? time : (beginnings[step - 1] ?? -Infinity);
      if (time - beginning > withinMs) continue;
      if (step === length - 1) {
        count++;
        last = time;
        beginnings.fill(-Infinity);
        break;
      }
      if (beginning > (beginnings[step] ?? -Infinity)) beginnings[step] = beginning;
    }
  }
  return { count, last };
}
