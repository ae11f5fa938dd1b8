import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sessionsOf } from '../../../tests/reference/waits.ts';
import { addToSession, makeSessions, mostRuns, type SessionRules } from '../parts/sessions.ts';
import { sessionEnds } from './session-ends.ts';
import { mergedStretches, type Stretch, withStretch } from './stretches.ts';

const gapMs = 60;
const rules: SessionRules = { gapMs, windowMs: 100_000, adds: [] };
type Seen = { readonly time: number; readonly session: string | null };

function endsOf(events: readonly Seen[]) {
  const sessions = makeSessions();
  let stretches: Stretch[] = [];
  let newest = 0;
  for (const { time, session } of events) {
    newest = Math.max(newest, time);
    addToSession(sessions, session, time, newest, rules);
    if (session !== null)
      stretches = withStretch(stretches, { name: session, first: time, last: time }, gapMs);
  }
  return sessionEnds(sessions, stretches, gapMs);
}
const sorted = <T extends { name: string | null; first: number }>(spans: readonly T[]): T[] =>
  [...spans].sort((a, b) => a.first - b.first || `${a.name}`.localeCompare(`${b.name}`));
const seen = fc.record({ time: fc.nat(900), session: fc.constantFrom(null, 'tab-1', 'tab-2') });

describe('a session that clients name', () => {
  it('ends a gap after its last event, and again when it speaks again after a longer pause', () => {
    const at = (...times: number[]) => times.map((time) => ({ time, session: 'tab-1' }));
    expect(endsOf(at(0, 50)).map(({ due }) => due)).toEqual([110]);
    expect(endsOf(at(0, 50, 110)).map(({ due }) => due)).toEqual([170]);
    expect(endsOf(at(0, 50, 111)).map(({ due }) => due)).toEqual([110, 171]);
    // What comes late between two of its stretches makes them one.
    expect(endsOf(at(0, 100, 50)).map(({ first, due }) => [first, due])).toEqual([[0, 160]]);
  });

  it('has the visits within the gap of it, and no others', () => {
    const named = { time: 100, session: 'tab-1' };
    const visit = (time: number) => ({ time, session: null });
    expect(endsOf([named, visit(160)])).toEqual([{ name: 'tab-1', first: 100, last: 160, due: 220 }]);
    expect(endsOf([named, visit(161)]).map(({ name, due }) => [name, due])).toEqual([
      ['tab-1', 160],
      [null, 221],
    ]);
    // Between two stretches a visit has an end of its own, though the session goes on.
    expect(endsOf([named, visit(200), { time: 300, session: 'tab-1' }])).toHaveLength(3);
  });

  it('ends where its definition says, whatever the order of its events', () => {
    fc.assert(
      fc.property(fc.array(seen, { maxLength: 25 }), fc.array(fc.nat()), (events, shuffle) => {
        const disordered = events
          .map((event, index) => ({ event, at: shuffle[index] ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ event }) => event);
        const expected = sessionsOf(events, gapMs).map((span) => ({ ...span, due: span.last + gapMs }));
        expect(sorted(endsOf(disordered))).toEqual(sorted(expected));
      }),
    );
  });

  it('keeps its newest stretches alone, and those of two subjects are joined', () => {
    let stretches: Stretch[] = [];
    for (let i = 0; i < 100; i++)
      stretches = withStretch(stretches, { name: 's', first: i * 1_000, last: i * 1_000 }, gapMs);
    expect(stretches.map(({ last }) => last / 1_000)).toEqual(
      Array.from({ length: mostRuns }, (_, i) => 100 - mostRuns + i),
    );
    expect(
      mergedStretches([{ name: 's', first: 0, last: 10 }], [{ name: 's', first: 70, last: 90 }], gapMs),
    ).toEqual([{ name: 's', first: 0, last: 90 }]);
  });
});
