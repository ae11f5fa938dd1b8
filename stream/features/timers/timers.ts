import { mergedStretches, type Stretch } from './stretches.ts';

/**
 * What a subject waits for, beside its features: part of its blob, moves with its identity, expires with it. Pure data
 * and what may be done to it; which triggers there are, and when something is due, is for stream/timers to know.
 * Everything is a function of the events seen so far, not of their order, within the bounds that docs/triggers.md states.
 */
export interface Timers {
  /** Absence triggers that have begun to wait; sorted by (due, trigger, key). */
  pending: Pending[];
  /** Newest events of absence triggers; sorted by (trigger, key). */
  marks: Mark[];
  /** Conditions that hold, or are cooling down; sorted by trigger. */
  held: Held[];
  /** Sessions whose end has been told; sorted by (last, name). */
  ended: Ended[];
  /** Of sessions that clients name, where a trigger asks for their ends; sorted by (last, name). */
  stretches: Stretch[];
  /** The newest event was a simulated visitor's. */
  isSimulated: boolean;
}

/** "`after` came at `from`: if what is awaited has not come by `due`, fire." */
export interface Pending {
  readonly trigger: string;
  /** Value of the property that both events must share; '' where the trigger names none. */
  readonly key: string;
  readonly from: number;
  readonly due: number;
  readonly isSimulated: boolean;
}

export interface Mark {
  readonly trigger: string;
  readonly key: string;
  /** Event time of the newest `after`, or -Infinity. */
  after: number;
  /** Event times of the newest awaited events, oldest first, at most `keptAbsent`. */
  absent: number[];
  /** Event time from which on it is of no use any more. */
  until: number;
}

export interface Held {
  readonly trigger: string;
  isTrue: boolean;
  /** When it last started a decision, or -Infinity. */
  firedAt: number;
}

export interface Ended {
  /** As the client named it, or null: known by its gaps. */
  readonly name: string | null;
  /** Event time of its last event when its end was told. */
  readonly last: number;
}

export const timerLimits = { pending: 64, marks: 64, held: 64, ended: 96, absent: 4 } as const;

export const makeTimers = (): Timers => ({
  pending: [],
  marks: [],
  held: [],
  ended: [],
  stretches: [],
  isSimulated: false,
});

/** Nothing that needs to be kept. */
export const isBlank = (timers: Timers): boolean =>
  !timers.isSimulated &&
  timers.pending.length === 0 &&
  timers.marks.length === 0 &&
  timers.held.length === 0 &&
  timers.ended.length === 0 &&
  timers.stretches.length === 0;

/** When the earliest of `pending` is due; Infinity: none. */
export const earliestPending = (timers: Timers): number => timers.pending[0]?.due ?? Infinity;

/** What is waited for; a copy. */
export const listPending = (timers: Timers): Pending[] => [...timers.pending];

/**
 * Begins to wait. A newer `after` of the same trigger and key takes the place of an older one that it comes within
 * the time of; so does one already seen. 'full': the subject waits for as much as it may, and this was left out.
 */
export function addPending(timers: Timers, added: Pending, until: number): 'added' | 'settled' | 'full' {
  const mark = markOf(timers, added.trigger, added.key);
  const isSettled = mark !== null && (settles(mark, added) || hasFired(timers, mark, added));
  if (mark !== null && added.from > mark.after) {
    mark.after = added.from;
    mark.until = Math.max(mark.until, until);
  }
  // Even one that is settled itself has come in the time of an older one.
  timers.pending = timers.pending.filter(
    (old) => !isSame(old, added) || !(old.from <= added.from && added.from <= old.due),
  );
  if (isSettled) return 'settled';
  if (timers.pending.length >= timerLimits.pending) return 'full';
  if (mark === null) {
    const made = { trigger: added.trigger, key: added.key, after: added.from, absent: [], until };
    putMark(timers, made);
  }
  timers.pending.push(added);
  timers.pending.sort(byDue);
  return 'added';
}

/** What was awaited came: waits that it falls into end. */
export function cancelPending(
  timers: Timers,
  trigger: string,
  key: string,
  time: number,
  until: number,
): void {
  const mark = markOf(timers, trigger, key) ?? {
    trigger,
    key,
    after: -Infinity,
    absent: [],
    until,
  };
  putMark(timers, mark);
  mark.until = Math.max(mark.until, until);
  mark.absent = newestTimes([...mark.absent, time]);
  timers.pending = timers.pending.filter(
    (old) => old.trigger !== trigger || old.key !== key || time < old.from || time > old.due,
  );
}

/** Takes out what is due at exactly this time, in the order of triggers and keys. */
export function takePending(timers: Timers, due: number): Pending[] {
  const taken = timers.pending.filter((one) => one.due === due);
  if (taken.length > 0) timers.pending = timers.pending.filter((one) => one.due !== due);
  return taken;
}

/** Forgets marks of no more use at this event time, and ended sessions that `isKept` denies. */
export function forgetMarks(timers: Timers, before: number): void {
  if (timers.marks.some((mark) => mark.until < before))
    timers.marks = timers.marks.filter((mark) => mark.until >= before);
}

/** The state of a trigger's condition; changing it changes the timers. */
export function heldOf(timers: Timers, trigger: string): Held {
  const known = timers.held.find((one) => one.trigger === trigger);
  if (known !== undefined) return known;
  const held = { trigger, isTrue: false, firedAt: -Infinity };
  timers.held.push(held);
  timers.held.sort((a, b) => compare(a.trigger, b.trigger));
  if (timers.held.length > timerLimits.held) timers.held.shift();
  return held;
}

export function tellEnd(timers: Timers, ended: Ended): void {
  timers.ended.push(ended);
  timers.ended.sort(byLast);
  if (timers.ended.length > timerLimits.ended) timers.ended.shift();
}

/**
 * Adds what another subject waits for, each wait re-checked against what both have seen: what came to one of them
 * settles the other's waits. Of more waits than there is room for those due last are left out (then by trigger, key and
 * beginning); returns how many.
 */
export function mergeTimers(into: Timers, from: Timers, gapMs: number): number {
  for (const mark of from.marks) {
    const known = markOf(into, mark.trigger, mark.key);
    if (known === null) putMark(into, { ...mark, absent: [...mark.absent] });
    else {
      known.after = Math.max(known.after, mark.after);
      known.absent = newestTimes([...known.absent, ...mark.absent]);
      known.until = Math.max(known.until, mark.until);
    }
  }
  const all = [...into.pending, ...from.pending].sort(byDue);
  const open = all.filter((one, index) => {
    const mark = markOf(into, one.trigger, one.key);
    const isRepeated = all.findIndex((other) => isSame(other, one) && other.from === one.from) < index;
    return !isRepeated && !(mark !== null && settles(mark, one));
  });
  into.pending = open.slice(0, timerLimits.pending);
  for (const held of from.held) {
    const known = heldOf(into, held.trigger);
    known.isTrue ||= held.isTrue;
    known.firedAt = Math.max(known.firedAt, held.firedAt);
  }
  for (const ended of from.ended) {
    if (!into.ended.some((one) => one.name === ended.name && one.last === ended.last)) tellEnd(into, ended);
  }
  into.stretches = mergedStretches(into.stretches, from.stretches, gapMs);
  return open.length - into.pending.length;
}

/** Whether what has been seen ends this wait: what was awaited came in its time, or a newer `after` took its place. */
const settles = (mark: Mark, { from, due }: Pending): boolean =>
  (mark.after > from && mark.after <= due) || mark.absent.some((time) => time >= from && time <= due);

/** One at the very same time has been waited for already, to its end. */
const hasFired = (timers: Timers, mark: Mark, { from }: Pending): boolean =>
  mark.after === from && !timers.pending.some((one) => isSame(one, mark) && one.from === from);

function markOf(timers: Timers, trigger: string, key: string): Mark | null {
  return timers.marks.find((mark) => mark.trigger === trigger && mark.key === key) ?? null;
}

/** Puts a mark in; of too many those of no use soonest go, before those that waits still need. */
function putMark(timers: Timers, mark: Mark): void {
  if (timers.marks.includes(mark)) return;
  timers.marks.push(mark);
  if (timers.marks.length > timerLimits.marks) {
    const isNeeded = (one: Mark): boolean => timers.pending.some((wait) => isSame(wait, one));
    const [first] = timers.marks
      .filter((one) => one !== mark)
      .sort((a, b) => Number(isNeeded(a)) - Number(isNeeded(b)) || a.until - b.until || byName(a, b));
    timers.marks = timers.marks.filter((one) => one !== first);
  }
  timers.marks.sort(byName);
}

const newestTimes = (times: number[]): number[] =>
  [...new Set(times)].sort((a, b) => a - b).slice(-timerLimits.absent);

type Named = { readonly trigger: string; readonly key: string };
const isSame = (a: Named, b: Named): boolean => a.trigger === b.trigger && a.key === b.key;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byName = (a: Named, b: Named): number => compare(a.trigger, b.trigger) || compare(a.key, b.key);
const byDue = (a: Pending, b: Pending): number => a.due - b.due || byName(a, b) || a.from - b.from;
const byLast = (a: Ended, b: Ended): number => a.last - b.last || compare(a.name ?? '', b.name ?? '');
