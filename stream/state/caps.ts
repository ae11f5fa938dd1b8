import { createHash } from 'node:crypto';
import type { CapSeen, CapTake, Choice, Resolution, SlotResolution } from '../../schemas/index.ts';
import type { Lease } from './leases/lease.ts';

/**
 * Caps of one subject, as the memory adapter counts them. stream/state/redis/caps.lua is the same in Lua, and says why;
 * a property test holds the two together.
 */
export interface SubjectCaps {
  readonly windows: Map<string, WindowTakes>;
  readonly sessions: Map<string, SessionTakes>;
  /** Unknown sessions with takes at or before it count as full. */
  sessionFloor: number;
  /** Unknown caps with takes before it count as full. */
  capFloor: number;
}

interface WindowTakes {
  windowMs: number;
  /** The newest forgotten take, or -1. */
  floor: number;
  /** Event times, oldest first. */
  times: number[];
}

interface SessionTakes {
  newest: number;
  /** Takes at or before it count as full: some may have been forgotten; -1: none. */
  floor: number;
  readonly counts: Map<string, number>;
}

const kept = { sessions: 16, caps: 48 } as const;
const never = -1;

export const noCaps = (): SubjectCaps => ({
  windows: new Map(),
  sessions: new Map(),
  sessionFloor: never,
  capFloor: never,
});

export const isEmpty = ({ windows, sessions, sessionFloor, capFloor }: SubjectCaps): boolean =>
  windows.size === 0 && sessions.size === 0 && sessionFloor === never && capFloor === never;

/** The takes of a choice, each counter once: listing a cap twice does not take it twice. */
export function distinctTakes(takes: readonly CapTake[]): readonly CapTake[] {
  if (takes.length < 2) return takes;
  const seen = new Set<string>();
  return takes.filter((take) => {
    const counter = JSON.stringify([take.cap, take.session, take.role]);
    return !seen.has(counter) && seen.add(counter);
  });
}

/**
 * How many takes `take` would compete with. For a window: takes less than one window away on either side, so that no
 * window of that length, wherever it begins, can hold more than the limit.
 */
export function capUsed(caps: SubjectCaps, take: CapTake): number {
  if (take.role === 'exclude') return othersOf(caps, take);
  if (take.session !== null) {
    const session = caps.sessions.get(take.session);
    if (session !== undefined) {
      const used = session.counts.get(take.cap) ?? 0;
      return take.at <= session.floor ? Math.max(used, take.limit) : used;
    }
    return take.at <= caps.sessionFloor ? take.limit : 0;
  }
  const length = take.windowMs ?? 0;
  const window = caps.windows.get(take.cap);
  if (window === undefined) return take.at < caps.capFloor ? take.limit : 0;
  const isNear = (time: number): boolean =>
    take.role === 'after' ? time <= take.at && take.at - time < length : Math.abs(time - take.at) < length;
  const used = window.times.filter(isNear).length;
  const floor = floorFor(take.cap, window, length);
  return floor !== never && take.at < floor + length ? Math.max(used, take.limit) : used;
}

/**
 * Which marks say nothing new was judged by the window that they were made with. A shorter one, of a workspace that has
 * changed, may miss what was dropped: all up to the newest counts as full for it.
 */
const floorFor = (cap: string, window: WindowTakes, length: number): number =>
  isMark(cap) && length < window.windowMs ? newestOf(window) : window.floor;

/** What the partition holds of the tenant's own limits, to be taken from. */
export type HeldLeases = (cap: string, bucket: number) => Lease;

const noLeases: HeldLeases = () => ({ granted: 0, used: 0, returned: 0 });

/** A cap whose name begins so holds marks: what it counts refuses others, not itself. */
export const isMark = (cap: string): boolean => cap.startsWith('!');

/** How many other marks of its group a take of `!<group>/<name>` meets: in its session, or less than a window away. */
function othersOf(caps: SubjectCaps, { cap, session, limit, windowMs, at }: CapTake): number {
  const group = /^[^/]*\//.exec(cap)?.[0] ?? cap;
  const isOther = (name: string): boolean => name !== cap && name.startsWith(group);
  if (session !== null) {
    const known = caps.sessions.get(session);
    let used = 0;
    for (const [name, count] of known?.counts ?? []) if (isOther(name)) used += count;
    return at <= (known?.floor ?? caps.sessionFloor) ? Math.max(used, limit) : used;
  }
  const length = windowMs ?? 0;
  let mayBeForgotten = at < caps.capFloor;
  let used = 0;
  for (const [name, window] of caps.windows) {
    if (!isOther(name)) continue;
    used += window.times.filter((time) => Math.abs(time - at) < length).length;
    const floor = floorFor(name, window, length);
    if (floor !== never && at < floor + length) mayBeForgotten = true;
  }
  return mayBeForgotten ? Math.max(used, limit) : used;
}

/** Marks a cap; caps with the role `after` have no room for a window's time from `at` on. */
export function markCap(
  caps: SubjectCaps,
  mark: { readonly cap: string; readonly windowMs: number; readonly at: number },
): void {
  takeOfWindow(caps, { ...mark, session: null, limit: 1 }, mark.windowMs);
}

/**
 * For one slot after the other, takes the caps of the first choice with room, changing `caps`; says what was seen. A
 * slot that nothing is left for ends it, and so does the action '': nothing.
 */
export function resolveChoices(
  caps: SubjectCaps,
  choices: readonly Choice[],
  slots = 1,
  leases: HeldLeases = noLeases,
): Resolution {
  const resolved: SlotResolution[] = [];
  const capsSeen: CapSeen[] = [];
  let left = choices.map((_, index) => index);
  while (resolved.length < slots) {
    const slot = resolved.length;
    const available = left.filter((index) => hasRoom(caps, leases, choices[index], slot, capsSeen));
    const chosen = available[0] ?? -1;
    resolved.push({ chosen, available });
    if (chosen < 0 || choices[chosen]?.action === '') break;
    for (const take of distinctTakes(choices[chosen]?.caps ?? [])) {
      if (take.lease !== undefined) leases(take.cap, take.lease.bucket).used += 1;
      if (take.role === 'after' || take.lease !== undefined) continue;
      if (take.session !== null) takeOfSession(caps, take, take.session);
      else takeOfWindow(caps, take, take.windowMs ?? 0);
    }
    left = available.slice(1);
  }
  return { slots: resolved, capsSeen };
}

/** Adds what it saw: in the first slot (0) everything, later what put it out. */
function hasRoom(
  caps: SubjectCaps,
  leases: HeldLeases,
  choice: Choice | undefined,
  slot: number,
  seen: CapSeen[],
): boolean {
  let room = true;
  for (const take of distinctTakes(choice?.caps ?? [])) {
    const held = take.lease === undefined ? null : leases(take.cap, take.lease.bucket);
    const used = held === null ? capUsed(caps, take) : held.used;
    const limit = held === null ? take.limit : held.granted - held.returned;
    const isFull = used >= limit;
    if (isFull) room = false;
    if (slot > 0 && !isFull) continue;
    const budget = held === null ? {} : { budget: take.limit };
    const seenNow = { cap: take.cap, action: choice?.action ?? '', used, limit, ...budget };
    seen.push(slot === 0 ? seenNow : { ...seenNow, slot });
  }
  return room;
}

/**
 * Event time from which on nothing taken so far can count: two windows after the newest take, as a take that comes
 * late looks back from its own time, and `ttlMs` after the newest take of a session, which must be over by then.
 */
export function capsEnd(caps: SubjectCaps, ttlMs: number): number {
  let end = Math.max(caps.sessionFloor + ttlMs, caps.capFloor);
  for (const window of caps.windows.values()) end = Math.max(end, newestOf(window) + 2 * window.windowMs);
  for (const session of caps.sessions.values()) end = Math.max(end, session.newest + ttlMs);
  return end;
}

function takeOfSession(caps: SubjectCaps, take: CapTake, name: string): void {
  let session = caps.sessions.get(name);
  if (session === undefined) {
    session = { newest: take.at, floor: caps.sessionFloor, counts: new Map() };
    caps.sessions.set(name, session);
    forgetSession(caps, name);
  }
  session.newest = Math.max(session.newest, take.at);
  session.counts.set(take.cap, (session.counts.get(take.cap) ?? 0) + 1);
}

function takeOfWindow(caps: SubjectCaps, take: CapTake, length: number): void {
  let window = caps.windows.get(take.cap);
  if (window === undefined) {
    window = { windowMs: length, floor: floorBefore(caps.capFloor, length), times: [] };
    caps.windows.set(take.cap, window);
  }
  window.floor = floorFor(take.cap, window, length);
  window.windowMs = length;
  window.times.push(take.at);
  forgetTakes(window);
  if (isMark(take.cap)) forgetMarks(window);
  forgetCap(caps, take.cap);
}

/** The floor of a window of which it is only known that it may have been forgotten as far as `capFloor`. */
const floorBefore = (capFloor: number, length: number): number =>
  capFloor === never ? never : Math.max(0, capFloor - length);

function forgetTakes(window: WindowTakes): void {
  window.times.sort((a, b) => a - b);
  const horizon = newestOf(window) - 2 * window.windowMs;
  const forgotten = window.times.filter((time) => time <= horizon);
  window.floor = Math.max(window.floor, forgotten.at(-1) ?? never);
  window.times = window.times.slice(forgotten.length);
}

/** Of marks, one between two others that are less than a window apart says nothing that they don't. */
function forgetMarks(window: WindowTakes): void {
  const { times, windowMs } = window;
  for (let i = 1; i + 1 < times.length; ) {
    if ((times[i + 1] ?? 0) - (times[i - 1] ?? 0) <= windowMs) times.splice(i, 1);
    else i += 1;
  }
}

function forgetSession(caps: SubjectCaps, keep: string | null): boolean {
  if (caps.sessions.size <= kept.sessions) return false;
  const oldest = oldestOf(
    [...caps.sessions].filter(([name]) => name !== keep),
    (session) => session.newest,
  );
  if (oldest === undefined) return false;
  caps.sessionFloor = Math.max(caps.sessionFloor, oldest[1].newest);
  caps.sessions.delete(oldest[0]);
  return true;
}

function forgetCap(caps: SubjectCaps, keep: string | null): boolean {
  if (caps.windows.size <= kept.caps) return false;
  const now = Math.max(...[...caps.windows.values()].map(newestOf));
  const oldest = oldestOf(
    [...caps.windows].filter(([name, window]) => name !== keep && newestOf(window) + window.windowMs <= now),
    newestOf,
  );
  if (oldest === undefined) return false;
  caps.capFloor = Math.max(caps.capFloor, newestOf(oldest[1]) + oldest[1].windowMs);
  caps.windows.delete(oldest[0]);
  return true;
}

/**
 * Adds the takes of another subject that turned out to be the same person. No take has more room afterwards than it
 * would have had beside both: takes are added up, and each side's floors hold for what only the other side knows.
 */
export function unionCaps(into: SubjectCaps, from: SubjectCaps): void {
  for (const [name, window] of into.windows) {
    if (!from.windows.has(name))
      window.floor = Math.max(window.floor, floorBefore(from.capFloor, window.windowMs));
  }
  for (const [name, other] of from.windows) {
    const window = into.windows.get(name);
    if (window === undefined) {
      const floor = Math.max(other.floor, floorBefore(into.capFloor, other.windowMs));
      into.windows.set(name, { windowMs: other.windowMs, floor, times: [...other.times] });
      continue;
    }
    window.windowMs = Math.max(window.windowMs, other.windowMs);
    window.floor = Math.max(window.floor, other.floor);
    window.times.push(...other.times);
    forgetTakes(window);
    if (isMark(name)) forgetMarks(window);
  }
  for (const [name, session] of into.sessions) {
    if (!from.sessions.has(name)) session.floor = Math.max(session.floor, from.sessionFloor);
  }
  for (const [name, other] of from.sessions) {
    const session = into.sessions.get(name);
    if (session === undefined) {
      const floor = Math.max(other.floor, into.sessionFloor);
      into.sessions.set(name, { newest: other.newest, floor, counts: new Map(other.counts) });
      continue;
    }
    session.newest = Math.max(session.newest, other.newest);
    session.floor = Math.max(session.floor, other.floor);
    for (const [cap, count] of other.counts) session.counts.set(cap, (session.counts.get(cap) ?? 0) + count);
  }
  into.sessionFloor = Math.max(into.sessionFloor, from.sessionFloor);
  into.capFloor = Math.max(into.capFloor, from.capFloor);
  while (forgetSession(into, null));
  while (forgetCap(into, null));
}

/** Caps as a transfer carries them: the fields of the hash in Redis, in JSON. */
export function packCaps(caps: SubjectCaps): string {
  const fields: Record<string, unknown> = {};
  for (const [name, { windowMs, floor, times }] of caps.windows)
    fields[`w:${name}`] = [windowMs, floor, ...times];
  for (const [name, { newest, floor, counts }] of caps.sessions)
    fields[`s:${name}`] = [newest, ...(floor === never ? [] : [floor]), ...counts];
  if (caps.sessionFloor !== never || caps.capFloor !== never) fields.f = [caps.sessionFloor, caps.capFloor];
  const whole = JSON.stringify(fields);
  return Buffer.byteLength(whole) <= mostPackedBytes ? whole : JSON.stringify({ f: fullUntil(caps) });
}

/** Above it a transfer carries floors alone. Far more than any workspace comes to, and a record has room for it. */
export const mostPackedBytes = 256 * 1_024;

/** Floors under which everything counts as full that these caps have seen. */
function fullUntil(caps: SubjectCaps): [sessions: number, windows: number] {
  return [
    Math.max(
      caps.sessionFloor,
      ...[...caps.sessions.values()].map(({ newest, floor }) => Math.max(newest, floor)),
    ),
    Math.max(
      caps.capFloor,
      ...[...caps.windows.values()].map((window) => newestOf(window) + window.windowMs),
    ),
  ];
}

/** The reverse of `packCaps`, of text that `isPackedCaps` accepts. */
export function unpackCaps(packed: string): SubjectCaps {
  const caps = noCaps();
  for (const [field, value] of Object.entries(
    JSON.parse(packed) as Record<string, (number | [string, number])[]>,
  )) {
    const name = field.slice(2);
    const numbers = value.filter((part) => typeof part === 'number');
    const [first = never, second = never, ...rest] = numbers;
    if (field === 'f') {
      caps.sessionFloor = first;
      caps.capFloor = second;
    } else if (field.startsWith('w:'))
      caps.windows.set(name, { windowMs: first, floor: second, times: rest });
    else {
      const counts = new Map(value.filter((part) => typeof part !== 'number'));
      caps.sessions.set(name, { newest: first, floor: second, counts });
    }
  }
  return caps;
}

const newestOf = (window: WindowTakes): number => window.times.at(-1) ?? window.floor;

function oldestOf<T>(entries: [string, T][], timeOf: (value: T) => number): [string, T] | undefined {
  return entries.toSorted((a, b) => timeOf(a[1]) - timeOf(b[1]) || (digest(a[0]) < digest(b[0]) ? -1 : 1))[0];
}

const digest = (name: string): string => createHash('sha1').update(name).digest('hex');
