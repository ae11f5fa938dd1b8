import { describe, expect, it } from 'vitest';
import { config, event, feature } from '../../tests/support/features.ts';
import { type FeatureSet, makeFeatureSet, type SubjectState } from './index.ts';

const day = 86_400_000;
const start = Date.UTC(2026, 0, 1);
const counted = feature('n', 'count', { bucketMs: day, buckets: 30 });
const usual = makeFeatureSet(config([counted]));
const few = makeFeatureSet(config([counted], { deduplicationIds: 3, deduplicationMs: 1_000 }));

/** A subject whose state is stored and read again after each event, if it is. */
function subject(set: FeatureSet, isStored: boolean) {
  let state = set.empty();
  let position = 0;
  return {
    /** Whether it counted. */
    send(id: string, time: number): boolean {
      const isNew = set.update(state, event(time, { id }), position++);
      if (isStored) state = set.decode(set.encode(state));
      return isNew;
    },
    count: () => set.read(state, state.newest).n,
    state: () => state,
    become(other: SubjectState): void {
      set.merge(state, isStored ? set.decode(set.encode(other)) : other);
      if (isStored) state = set.decode(set.encode(state));
    },
  };
}
const ids = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({ id: `e${from + i}`, time: start + from + i }));

describe.each([
  ['in memory', false],
  ['stored and read again after each event', true],
])('a repeat, of a subject %s', (_, isStored) => {
  it('is known among 1,024 ids; with the 1,025th the oldest is forgotten, and counts twice', () => {
    const { send, count } = subject(usual, isStored);
    for (const { id, time } of ids(0, 1_024)) expect(send(id, time)).toBe(true);
    for (const { id, time } of ids(0, 1_024)) expect(send(id, time)).toBe(false);
    expect(count()).toBe(1_024);
    expect(send('e1024', start + 1_024)).toBe(true);
    for (const { id, time } of ids(1, 1_025)) expect(send(id, time)).toBe(false);
    expect(send('e0', start)).toBe(true);
    // It is older than all that are kept, so it is not remembered this time either, and takes nobody's place.
    expect(send('e0', start)).toBe(true);
    for (const { id, time } of ids(1, 1_025)) expect(send(id, time)).toBe(false);
    expect(count()).toBe(1_027);
  });

  it('is known for 24 h of event time to the millisecond, and counts twice one later', () => {
    const { send, count } = subject(usual, isStored);
    send('first', start);
    send('a day later', start + day);
    expect(send('first', start)).toBe(false);
    send('and a millisecond', start + day + 1);
    expect(send('first', start)).toBe(true);
    expect(send('a day later', start + day)).toBe(false);
    expect(count()).toBe(4);
  });

  it('is known as far as the workspace says', () => {
    const { send } = subject(few, isStored);
    for (const { id, time } of ids(0, 4)) send(id, time);
    expect(send('e1', start + 1)).toBe(false);
    expect(send('e0', start)).toBe(true);
    send('second later', start + 1_002);
    expect(send('e2', start + 2)).toBe(false);
    send('more than that', start + 1_003);
    expect(send('e2', start + 2)).toBe(true);
  });

  it('is known by its id alone, whatever time it states', () => {
    const { send } = subject(usual, isStored);
    send('first', start);
    for (const time of [start - 1, start + 1, start + day]) expect(send('first', time)).toBe(false);
  });

  it('is known to whoever two subjects become: of the ids of both the newest, within the window of the newest event', () => {
    const [user, visitor] = [subject(usual, isStored), subject(usual, isStored)];
    for (const { id, time } of ids(0, 1_000)) visitor.send(id, time);
    for (const { id, time } of ids(1_000, 1_100)) user.send(id, time);
    user.become(visitor.state());
    for (const { id, time } of ids(76, 1_100)) expect(user.send(id, time)).toBe(false);
    expect(user.send('e75', start + 75)).toBe(true);

    const [late, early] = [subject(usual, isStored), subject(usual, isStored)];
    early.send('a day before', start);
    early.send('and a millisecond', start - 1);
    late.send('newest', start + day);
    late.become(early.state());
    expect(late.send('a day before', start)).toBe(false);
    expect(late.send('and a millisecond', start - 1)).toBe(true);
  });
});
