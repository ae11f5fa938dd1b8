import { describe, expect, it } from 'vitest';
import { config, event, feature, valueAfter } from '../../../tests/support/features.ts';
import { type FeatureEvent, makeFeatureSet } from '../index.ts';

const minute = 60_000;
const count = feature('f', 'session', { measure: 'count' });
const duration = feature('f', 'session', { measure: 'duration' });
const at = (minutes: number, session: string | null = null, type = 'view') =>
  event(minutes * minute, { session, type });

function sessionOf(events: readonly FeatureEvent[]): string | null {
  const set = makeFeatureSet(config([count]));
  const state = set.empty();
  for (const [position, each] of events.entries()) set.update(state, each, position);
  const { session } = state;
  expect(set.decode(set.encode(state)).session).toBe(session);
  return session;
}

describe('a session that the client does not name', () => {
  it('begins after a gap of more than 30 minutes and is called after its first event', () => {
    expect(sessionOf([])).toBeNull();
    expect(sessionOf([at(0), at(30), at(60)])).toBe('s-0');
    expect(sessionOf([at(0), at(31)])).toBe(`s-${(31 * minute).toString(36)}`);
  });

  it('is not broken by late events', () => {
    expect(sessionOf([at(40), at(60), at(50)])).toBe(sessionOf([at(40)]));
    expect(valueAfter(count, [at(40), at(60), at(50)])).toBe(3);
  });

  it('is joined to the one before by a late event between them', () => {
    expect(valueAfter(count, [at(0), at(50)])).toBe(1);
    expect(valueAfter(count, [at(0), at(50), at(25)])).toBe(3);
    expect(sessionOf([at(0), at(50), at(25)])).toBe('s-0');
  });

  it('stays as it is when a late event belongs to an older one', () => {
    expect(valueAfter(count, [at(0), at(100), at(1)])).toBe(1);
  });

  it('is over when the gap has passed', () => {
    expect(valueAfter(count, [at(0), at(1)], 31 * minute)).toBe(2);
    expect(valueAfter(count, [at(0), at(1)], 31 * minute + 1)).toBe(0);
    expect(valueAfter(duration, [at(0), at(1)], 31 * minute + 1)).toBeNull();
  });
});

describe('a session that the client names', () => {
  it('is as the client says, whatever the gap', () => {
    expect(sessionOf([at(0, 'one'), at(300, 'one')])).toBe('one');
    expect(valueAfter(count, [at(0, 'one'), at(300, 'one')])).toBe(2);
    expect(valueAfter(count, [at(0, 'one'), at(1, 'two')])).toBe(1);
  });

  it('is that of the newest event, whichever came last', () => {
    expect(sessionOf([at(5, 'two'), at(0, 'one')])).toBe('two');
  });

  it('takes in what a backend sends without naming it', () => {
    const events = [at(0, 'tab'), at(1, 'tab'), at(2)];
    expect(sessionOf(events)).toBe('tab');
    expect(valueAfter(count, events)).toBe(3);
    expect(sessionOf([...events].reverse())).toBe('tab');
    expect(sessionOf([at(0, 'tab'), at(100)])).not.toBe('tab');
  });

  it('is a new one of its name after a silence longer than the de-duplication window', () => {
    expect(valueAfter(count, [at(0, 'one'), at(25 * 60, 'one')])).toBe(1);
  });
});

describe('session features', () => {
  it('count matching events only, and no system events', () => {
    const clicks = feature('f', 'session', { measure: 'count', of: ['click', '$outcome'] });
    expect(valueAfter(clicks, [at(0), at(1, null, 'click'), at(2, null, '$outcome')])).toBe(1);
  });

  it('measure seconds since the first matching event', () => {
    const clicked = feature('f', 'session', { measure: 'duration', of: ['click'] });
    const events = [at(0), at(2, null, 'click'), at(1, null, 'click'), at(5)];
    expect(valueAfter(duration, events)).toBe(300);
    expect(valueAfter(clicked, events)).toBe(240);
    expect(valueAfter(clicked, [at(0)])).toBeNull();
  });

  it('of a late decision are those of the session at that time', () => {
    const events = [at(0), at(1), at(100), at(101), at(102)];
    expect(valueAfter(count, events, 10 * minute)).toBe(2);
    expect(valueAfter(count, events, 50 * minute)).toBe(0);
  });

  it('remember a bounded number of sessions', () => {
    const set = makeFeatureSet(config([count], { sessionGapMs: 1 }));
    const state = set.empty();
    for (let i = 0; i < 5_000; i++) set.update(state, at(i / 100, i % 2 === 0 ? null : `tab-${i}`), i);
    const ids = 1_024 * 10;
    expect(set.encode(state).length).toBeLessThan(ids + 32 * 20 + 32 * 6);
  });
});
