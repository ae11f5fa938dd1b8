import { type Run, type Sessions, touches } from '../parts/sessions.ts';

export interface SessionEnd {
  /** As the client named it, or null: known by its gaps. */
  readonly name: string | null;
  readonly first: number;
  /** Of its events and, for a named session, of the visits that are part of it. */
  readonly last: number;
  /** When it is over: one gap after its last event. */
  readonly due: number;
}

/** Where each session that is still remembered ends, as known so far. A visit that is part of a named one has no end. */
export function sessionEnds({ named, visits }: Sessions, gapMs: number): SessionEnd[] {
  const ends: SessionEnd[] = [];
  for (const run of named) ends.push(endOf(run.id, run, lastOf(run, visits, gapMs), gapMs));
  for (const visit of visits) {
    if (!named.some((run) => touches(visit, run, gapMs))) ends.push(endOf(null, visit, visit.last, gapMs));
  }
  return ends;
}

const endOf = (name: string | null, { first }: Run, last: number, gapMs: number): SessionEnd => ({
  name,
  first,
  last,
  due: last + gapMs,
});

function lastOf(run: Run, visits: readonly Run[], gapMs: number): number {
  let { last } = run;
  for (const visit of visits) if (visit.last > last && touches(visit, run, gapMs)) last = visit.last;
  return last;
}
