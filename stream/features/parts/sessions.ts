import { keptText } from './text.ts';

/**
 * A subject's recent sessions, as a function of its set of ordinary events (not `$...`), whatever their order:
 *
 * - Events that name a session belong to it. A session that stays silent for longer than the de-duplication window
 *   and then speaks again is a new one of the same name.
 * - Events that name none form visits: runs with gaps of at most `gapMs`. A visit is called `s-` and the base-36 time
 *   of its first event, so a late event in front of a visit renames it, and one between two visits joins them.
 * - A visit that overlaps a named session, or lies within `gapMs` of it, is part of it (a shop's backend names no
 *   session, its browser does).
 *
 * Runs are kept until no event within the de-duplication window behind the newest could still touch them, at most
 * `mostRuns` of either sort. So sessions are exact for events at most that late, with at most so many runs.
 */
export interface Run {
  /** The session's id, as clients know it. */
  id: string;
  /** Event times of its first and last events. */
  first: number;
  last: number;
  /** One number for each session feature: how many matching events, or the time of the first (Infinity: none). */
  readonly stats: number[];
}

export interface Sessions {
  /** Runs of sessions that events name; sorted by (last, id). */
  named: Run[];
  /** Runs of events that name none; sorted by time, never overlapping. */
  visits: Run[];
}

export interface SessionRules {
  readonly gapMs: number;
  /** How late an event may be: the de-duplication window. */
  readonly windowMs: number;
  /** For each session feature: whether its number adds up (count) or is a least time (duration). */
  readonly adds: readonly boolean[];
}

export const mostRuns = 32;

export const makeSessions = (): Sessions => ({ named: [], visits: [] });

export const visitId = (first: number): string => `s-${first.toString(36)}`;

export const blankStats = (rules: SessionRules): number[] => rules.adds.map((adds) => (adds ? 0 : Infinity));

/** Puts an event into its session and returns that; `newest` is the subject's newest event time, this one included. */
export function addToSession(
  sessions: Sessions,
  session: string | null,
  time: number,
  newest: number,
  rules: SessionRules,
): Run {
  const id = session === null ? null : keptText(session);
  const list = id === null ? sessions.visits : sessions.named;
  const gap = id === null ? rules.gapMs : rules.windowMs;
  let run = list[list.length - 1];
  // Nearly every event goes on with the newest run, which then stays the newest.
  if (run !== undefined && (id === null || id === run.id) && time >= run.first && time <= run.last + gap) {
    if (time > run.last) run.last = time;
  } else {
    const added = { id: id ?? visitId(time), first: time, last: time, stats: blankStats(rules) };
    run = join(list, added, id === null, rules);
  }
  forgetRuns(sessions, newest, rules);
  return run;
}

/** Adds a run, made one with those it touches. */
function join(list: Run[], added: Run, isVisit: boolean, rules: SessionRules): Run {
  const gap = isVisit ? rules.gapMs : rules.windowMs;
  let whole: Run | null = null;
  for (let i = list.length - 1; i >= 0; i--) {
    const run = list[i];
    if (run === undefined || (!isVisit && run.id !== added.id)) continue;
    if (added.first > run.last + gap || added.last < run.first - gap) continue;
    if (whole === null) {
      whole = run;
      absorb(run, added, isVisit, rules);
    } else {
      absorb(whole, run, isVisit, rules);
      list.splice(i, 1);
    }
  }
  if (whole === null) list.push(added);
  if (list.length > 1) list.sort(isVisit ? byFirst : byLast);
  return whole ?? added;
}

function absorb(into: Run, from: Run, isVisit: boolean, rules: SessionRules): void {
  if (from.first < into.first) {
    into.first = from.first;
    if (isVisit) into.id = visitId(from.first);
  }
  if (from.last > into.last) into.last = from.last;
  for (let i = 0; i < rules.adds.length; i++) {
    const a = into.stats[i] ?? 0;
    const b = from.stats[i] ?? 0;
    into.stats[i] = rules.adds[i] ? a + b : Math.min(a, b);
  }
}

const byFirst = (a: Run, b: Run): number => a.first - b.first;
const byLast = (a: Run, b: Run): number =>
  a.last - b.last || a.first - b.first || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

function forgetRuns(sessions: Sessions, newest: number, rules: SessionRules): void {
  forget(sessions.visits, newest - rules.windowMs - rules.gapMs);
  forget(sessions.named, newest - rules.windowMs - rules.windowMs);
}

/** Both lists are sorted by their runs' last events too, so the oldest are in front. */
function forget(list: Run[], before: number): void {
  let gone = Math.max(0, list.length - mostRuns);
  while (gone < list.length && (list[gone]?.last ?? 0) < before) gone++;
  if (gone > 0) list.splice(0, gone);
}

/** Adds another subject's sessions. */
export function mergeSessions(into: Sessions, from: Sessions, newest: number, rules: SessionRules): void {
  for (const run of from.named) join(into.named, { ...run, stats: [...run.stats] }, false, rules);
  for (const run of from.visits) join(into.visits, { ...run, stats: [...run.stats] }, true, rules);
  forgetRuns(into, newest, rules);
}

/**
 * The session at event time `at`: of the runs begun by then the one with the newest event up to `at` (of several that
 * go on beyond `at` the one begun last; then by id), and a named session before a visit that is part of it. A named
 * session lasts until another begins; a visit is over, and then there is no session, more than the gap after it.
 */
export function sessionAt(sessions: Sessions, at: number, gapMs: number): Run | null {
  const { named, visits } = sessions;
  let visit: Run | null = null;
  for (let i = visits.length - 1; i >= 0 && visit === null; i--) {
    const run = visits[i];
    if (run !== undefined && run.first <= at) visit = run;
  }
  if (named.length === 0) return visit !== null && at - visit.last <= gapMs ? visit : null;
  let touching: Run | null = null;
  let latest: Run | null = null;
  for (const run of named) {
    if (run.first > at) continue;
    if (latest === null || isLater(run, latest, at)) latest = run;
    if (visit === null || !touches(visit, run, gapMs)) continue;
    if (touching === null || isLater(run, touching, at)) touching = run;
  }
  if (visit === null || (latest !== null && latest.last >= Math.min(visit.last, at))) return latest;
  return touching ?? (at - visit.last <= gapMs ? visit : null);
}

function isLater(a: Run, b: Run, at: number): boolean {
  const difference = Math.min(a.last, at) - Math.min(b.last, at) || a.first - b.first;
  return difference !== 0 ? difference > 0 : a.id > b.id;
}

type Span = Pick<Run, 'first' | 'last'>;

/** Whether a visit is part of a named session. */
export const touches = (visit: Span, named: Span, gapMs: number): boolean =>
  visit.first <= named.last + gapMs && visit.last >= named.first - gapMs;

/** A session feature's numbers over the whole session at `at`: the session's own and those of its visits. */
export function statAt(sessions: Sessions, stat: number, at: number, rules: SessionRules): number | null {
  const session = sessionAt(sessions, at, rules.gapMs);
  if (session === null) return null;
  const adds = rules.adds[stat] ?? true;
  let value = session.stats[stat] ?? 0;
  if (!sessions.named.includes(session)) return value;
  for (const visit of sessions.visits) {
    if (visit.first > at || !touches(visit, session, rules.gapMs)) continue;
    const part = visit.stats[stat] ?? 0;
    value = adds ? value + part : Math.min(value, part);
  }
  return value;
}
