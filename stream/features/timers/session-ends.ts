import { type Run, type Sessions, touches } from '../parts/sessions.ts';
import type { Stretch } from './stretches.ts';

export interface SessionEnd {
  /** As the client named it, or null: known by its gaps. */
  readonly name: string | null;
  readonly first: number;
  /** Of its events and, for a named session, of the visits that are part of it. */
  readonly last: number;
  /** When it is over: one gap after its last event. */
  readonly due: number;
}

/**
 * Where each session that is still remembered ends, as known so far; a named one ends once for each of its stretches. A
 * visit that touches a stretch is part of it, and has no end of its own. What makes up an end lies no further apart than
 * the gap, so no event after it is due can change it.
 */
export function sessionEnds(
  { named, visits }: Sessions,
  stretches: readonly Stretch[],
  gapMs: number,
): SessionEnd[] {
  const parts = [...stretches, ...withoutStretch(named, stretches)];
  const ends: SessionEnd[] = [];
  for (const name of new Set(parts.map((part) => part.name))) {
    const own = parts.filter((part) => part.name === name);
    const beside = visits.filter((visit) => own.some((part) => touches(visit, part, gapMs)));
    for (const { first, last } of joined([...own, ...beside], gapMs))
      ends.push(endOf(name, first, last, gapMs));
  }
  for (const { first, last } of visits.filter((visit) => !parts.some((part) => touches(visit, part, gapMs))))
    ends.push(endOf(null, first, last, gapMs));
  return ends;
}

/** Sessions of which only the whole is known: from before stretches were noted, or so old that theirs are forgotten. */
const withoutStretch = (named: readonly Run[], stretches: readonly Stretch[]): Stretch[] =>
  named
    .filter(({ id }) => !stretches.some(({ name }) => name === id))
    .map(({ id, first, last }) => ({ name: id, first, last }));

type Span = Pick<Stretch, 'first' | 'last'>;

function joined(spans: readonly Span[], gapMs: number): Span[] {
  const whole: { first: number; last: number }[] = [];
  for (const { first, last } of [...spans].sort((a, b) => a.first - b.first)) {
    const before = whole.at(-1);
    if (before === undefined || first > before.last + gapMs) whole.push({ first, last });
    else before.last = Math.max(before.last, last);
  }
  return whole;
}

const endOf = (name: string | null, first: number, last: number, gapMs: number): SessionEnd => ({
  name,
  first,
  last,
  due: last + gapMs,
});
