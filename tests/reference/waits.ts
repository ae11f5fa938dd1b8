import type { FeatureEvent } from '../../stream/features/port.ts';

/** What a person waits for, from all events and what has been told already. */
export interface PersonalEvent extends FeatureEvent {
  /** Began nothing when it came. */
  readonly isLate: boolean;
}

export interface WaitRules {
  readonly gapMs: number;
  readonly sessionEnd: string;
  readonly absences: readonly AbsenceRule[];
}

export interface AbsenceRule {
  readonly name: string;
  readonly after: string;
  readonly absent: string;
  readonly withinMs: number;
  /** How long what settles a wait is remembered. */
  readonly keptMs: number;
  /** '' where all are one. */
  readonly keyOf: (event: FeatureEvent) => string;
  readonly counts: (event: FeatureEvent) => boolean;
}

export interface Open {
  readonly trigger: string;
  readonly key: string;
  readonly due: number;
  /** What must not happen twice. */
  readonly once: string;
  /** Absent: the one that is current. */
  readonly session?: string;
  readonly told: { readonly name: string | null; readonly first: number; readonly last: number } | null;
}

interface History {
  readonly events: readonly PersonalEvent[];
  readonly fired: ReadonlySet<string>;
}

export function openAbsences(
  events: readonly PersonalEvent[],
  fired: ReadonlySet<string>,
  { absences }: WaitRules,
): Open[] {
  const open = new Map<string, Open>();
  for (const rule of absences) {
    const { name, withinMs, keyOf } = rule;
    for (const begin of events.filter((one) => begins(rule, one))) {
      const due = begin.time + withinMs;
      const once = onceOf(rule, begin);
      if (fired.has(once) || settling(rule, begin, events).length > 0) continue;
      open.set(once, { trigger: name, key: keyOf(begin), due, once, told: null });
    }
  }
  return [...open.values()];
}

const begins = ({ after, counts }: AbsenceRule, one: PersonalEvent): boolean =>
  one.type === after && !one.isLate && counts(one);
const onceOf = ({ name, keyOf }: AbsenceRule, begin: FeatureEvent): string =>
  `${name} ${keyOf(begin)} ${begin.time}`;

/** Events that end this wait: what was awaited, or a newer beginning. */
function settling(rule: AbsenceRule, begin: FeatureEvent, events: readonly PersonalEvent[]) {
  const { absent, withinMs, keyOf } = rule;
  const isInTime = ({ time }: FeatureEvent): boolean => time >= begin.time && time <= begin.time + withinMs;
  return events.filter(
    (one) =>
      isInTime(one) &&
      keyOf(one) === keyOf(begin) &&
      (one.type === absent || (begins(rule, one) && one.time > begin.time)),
  );
}

/**
 * Whether two histories come together in a way that docs/triggers.md does not promise: what would settle a wait of one
 * of them is no longer remembered by the other. Says which wait.
 */
export function forgotten(into: History, from: History, clock: number, rules: WaitRules): string | null {
  for (const rule of rules.absences) {
    for (const [mine, others] of [
      [into, from],
      [from, into],
    ] as const) {
      for (const { once, key } of openAbsences(mine.events, mine.fired, {
        ...rules,
        absences: [rule],
      })) {
        const begin = mine.events.find((one) => begins(rule, one) && onceOf(rule, one) === once);
        if (begin === undefined) continue;
        if (others.fired.has(once)) return once;
        if (
          others.events.some((one) => begins(rule, one) && one.time === begin.time && rule.keyOf(one) === key)
        )
          return once;
        const ends = settling(rule, begin, others.events);
        if (ends.length === 0) continue;
        const ofKey = [...into.events, ...from.events].filter((one) => rule.keyOf(one) === key);
        const newest = Math.max(...ofKey.filter((one) => begins(rule, one)).map(({ time }) => time));
        const awaited = ofKey.filter((one) => one.type === rule.absent).sort((a, b) => b.time - a.time);
        const isKnown = ends.some(
          (one) =>
            one.time + rule.keptMs >= clock &&
            (one.type === rule.after ? one.time === newest : awaited.indexOf(one) < 4),
        );
        if (!isKnown) return once;
      }
    }
  }
  return null;
}

export function openSessions(
  events: readonly FeatureEvent[],
  told: readonly { readonly name: string | null; readonly last: number }[],
  { gapMs, sessionEnd }: WaitRules,
): Open[] {
  return sessionsOf(
    events.filter(({ type }) => !type.startsWith('$')),
    gapMs,
  )
    .filter(
      ({ name, first, last }) =>
        !told.some((one) => one.name === name && one.last >= first && one.last <= last),
    )
    .map(({ name, first, last }) => ({
      trigger: sessionEnd,
      key: name ?? '',
      due: last + gapMs,
      once: `${sessionEnd} ${name} ${last}`,
      session: name ?? `s-${first.toString(36)}`,
      told: { name, first, last },
    }));
}

/** Named sessions, each pause longer than the gap apart, with the visits that touch them; and the visits that touch none. */
export function sessionsOf(
  events: readonly Pick<FeatureEvent, 'time' | 'session'>[],
  gapMs: number,
): { name: string | null; first: number; last: number }[] {
  type Span = { first: number; last: number };
  const spansOf = (times: readonly Span[]): Span[] => {
    const spans: Span[] = [];
    for (const { first, last } of [...times].sort((a, b) => a.first - b.first)) {
      const before = spans.at(-1);
      if (before !== undefined && first - before.last <= gapMs) before.last = Math.max(before.last, last);
      else spans.push({ first, last });
    }
    return spans;
  };
  const at = ({ time }: { time: number }): Span => ({ first: time, last: time });
  const touches = (a: Span, b: Span): boolean => a.first - b.last <= gapMs && b.first - a.last <= gapMs;
  const visits = spansOf(events.filter((one) => one.session === null).map(at));
  const names = [...new Set(events.flatMap(({ session }) => (session === null ? [] : [session])))];
  const stretches = names.map((name) => ({
    name,
    spans: spansOf(events.filter((one) => one.session === name).map(at)),
  }));
  const isPart = (visit: Span, spans: readonly Span[]): boolean => spans.some((span) => touches(visit, span));
  return [
    ...stretches.flatMap(({ name, spans }) =>
      spansOf([...spans, ...visits.filter((visit) => isPart(visit, spans))]).map((span) => ({
        name,
        ...span,
      })),
    ),
    ...visits
      .filter((visit) => !stretches.some(({ spans }) => isPart(visit, spans)))
      .map((visit) => ({ name: null, ...visit })),
  ];
}

export const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
