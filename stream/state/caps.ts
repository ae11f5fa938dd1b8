import { createHash } from 'node:crypto';
import type { CapSeen, CapTake, Choice, Resolution } from '../../schemas/index.ts';

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

/** The takes of a choice, each counter once: listing a cap twice does not take it twice. */
export function distinctTakes(takes: readonly CapTake[]): readonly CapTake[] {
  if (takes.length < 2) return takes;
  const seen = new Set<string>();
  return takes.filter((take) => {
    const counter = JSON.stringify([take.cap, take.session]);
    return !seen.has(counter) && seen.add(counter);
  });
}

/**
 * How many takes `take` would compete with. For a window: takes less than one window away on either side, so that no
 * window of that length, wherever it begins, can hold more than the limit.
 */
export function capUsed(caps: SubjectCaps, take: CapTake): number {
  if (take.session !== null) {
    const session = caps.sessions.get(take.session);
    if (session !== undefined) return session.counts.get(take.cap) ?? 0;
    return take.at <= caps.sessionFloor ? take.limit : 0;
  }
  const length = take.windowMs ?? 0;
  const window = caps.windows.get(take.cap);
  if (window === undefined) return take.at < caps.capFloor ? take.limit : 0;
  const used = window.times.filter((time) => Math.abs(time - take.at) < length).length;
  const mayBeForgotten = window.floor !== never && take.at < window.floor + length;
  return mayBeForgotten ? Math.max(used, take.limit) : used;
}

/** Takes the caps of the first choice with room, changing `caps`; says what was seen. */
export function resolveChoices(caps: SubjectCaps, choices: readonly Choice[]): Resolution {
  const available: number[] = [];
  const capsSeen: CapSeen[] = [];
  choices.forEach((choice, index) => {
    let hasRoom = true;
    for (const take of distinctTakes(choice.caps)) {
      const used = capUsed(caps, take);
      if (used >= take.limit) hasRoom = false;
      capsSeen.push({ cap: take.cap, action: choice.action, used, limit: take.limit });
    }
    if (hasRoom) available.push(index);
  });
  const chosen = available[0] ?? -1;
  for (const take of distinctTakes(choices[chosen]?.caps ?? [])) {
    if (take.session !== null) takeOfSession(caps, take, take.session);
    else takeOfWindow(caps, take, take.windowMs ?? 0);
  }
  return { chosen, available, capsSeen };
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
    session = { newest: take.at, counts: new Map() };
    caps.sessions.set(name, session);
    forgetSession(caps, name);
  }
  session.newest = Math.max(session.newest, take.at);
  session.counts.set(take.cap, (session.counts.get(take.cap) ?? 0) + 1);
}

function takeOfWindow(caps: SubjectCaps, take: CapTake, length: number): void {
  let window = caps.windows.get(take.cap);
  if (window === undefined) {
    window = { windowMs: length, floor: never, times: [] };
    caps.windows.set(take.cap, window);
  }
  window.windowMs = length;
  window.times.push(take.at);
  window.times.sort((a, b) => a - b);
  const horizon = newestOf(window) - 2 * length;
  const forgotten = window.times.filter((time) => time <= horizon);
  window.floor = Math.max(window.floor, forgotten.at(-1) ?? never);
  window.times = window.times.slice(forgotten.length);
  forgetCap(caps, take.cap);
}

function forgetSession(caps: SubjectCaps, keep: string): void {
  if (caps.sessions.size <= kept.sessions) return;
  const oldest = oldestOf(
    [...caps.sessions].filter(([name]) => name !== keep),
    (session) => session.newest,
  );
  if (oldest === undefined) return;
  caps.sessionFloor = Math.max(caps.sessionFloor, oldest[1].newest);
  caps.sessions.delete(oldest[0]);
}

function forgetCap(caps: SubjectCaps, keep: string): void {
  if (caps.windows.size <= kept.caps) return;
  const now = Math.max(...[...caps.windows.values()].map(newestOf));
  const oldest = oldestOf(
    [...caps.windows].filter(([name, window]) => name !== keep && newestOf(window) + window.windowMs <= now),
    newestOf,
  );
  if (oldest === undefined) return;
  caps.capFloor = Math.max(caps.capFloor, newestOf(oldest[1]) + oldest[1].windowMs);
  caps.windows.delete(oldest[0]);
}

const newestOf = (window: WindowTakes): number => window.times.at(-1) ?? window.floor;

function oldestOf<T>(entries: [string, T][], timeOf: (value: T) => number): [string, T] | undefined {
  return entries.toSorted((a, b) => timeOf(a[1]) - timeOf(b[1]) || (digest(a[0]) < digest(b[0]) ? -1 : 1))[0];
}

const digest = (name: string): string => createHash('sha1').update(name).digest('hex');
