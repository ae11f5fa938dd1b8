import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addPending,
  cancelPending,
  forgetMarks,
  heldOf,
  listPending,
  makeTimers,
  mergeTimers,
  type Pending,
  type Timers,
  takePending,
  timerLimits,
} from './index.ts';

const within = 100;
const gap = 50;
type Seen = { readonly kind: 'after' | 'absent'; readonly time: number; readonly key: string };

const wait = ({ time, key }: { time: number; key: string }): Pending => ({
  trigger: 'left',
  key,
  from: time,
  due: time + within,
  isSimulated: false,
});

function see(timers: Timers, seen: Seen): void {
  const until = seen.time + 10 * within;
  if (seen.kind === 'after') addPending(timers, wait(seen), until);
  else cancelPending(timers, 'left', seen.key, seen.time, until);
}

/** From the definition: an `after` waits unless what it waits for, or a newer one, came in its time. */
function openWaits(all: readonly Seen[]): [number, string][] {
  const open = all.filter(
    (one) =>
      one.kind === 'after' &&
      !all.some(
        (other) =>
          other.key === one.key &&
          other.time <= one.time + within &&
          (other.kind === 'absent' ? other.time >= one.time : other.time > one.time),
      ),
  );
  const unique = new Map(open.map(({ time, key }) => [`${time} ${key}`, [time + within, key] as const]));
  return [...unique.values()].map(([due, key]): [number, string] => [due, key]).sort(byDue);
}

const byDue = (a: [number, string], b: [number, string]): number =>
  a[0] - b[0] || (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0);
const waiting = (timers: Timers) => listPending(timers).map(({ due, key }): [number, string] => [due, key]);

/** All within the time of one wait: so late may an event be. */
const close = fc.array(
  fc.record({
    kind: fc.constantFrom('after' as const, 'absent' as const),
    time: fc.integer({ min: 1_000, max: 1_000 + within }),
    key: fc.constantFrom('', 'cart'),
  }),
  { maxLength: 3 },
);

describe('what a subject waits for', () => {
  it('is what the definition says, in whatever order its events come', () => {
    fc.assert(
      fc.property(close, (events) => {
        const timers = makeTimers();
        for (const seen of events) see(timers, seen);
        expect(waiting(timers)).toEqual(openWaits(events));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of two subjects made one is what it would be had they been one', () => {
    fc.assert(
      fc.property(close, close, (left, right) => {
        const [into, from] = [makeTimers(), makeTimers()];
        for (const seen of left) see(into, seen);
        for (const seen of right) see(from, seen);
        expect(mergeTimers(into, from, gap)).toBe(0);
        expect(waiting(into)).toEqual(openWaits([...left, ...right]));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is taken when due, once', () => {
    const timers = makeTimers();
    see(timers, { kind: 'after', time: 1, key: 'a' });
    see(timers, { kind: 'after', time: 1, key: 'b' });
    see(timers, { kind: 'after', time: 2, key: 'a' });
    expect(takePending(timers, 101).map(({ key }) => key)).toEqual(['b']);
    expect(takePending(timers, 102).map(({ key }) => key)).toEqual(['a']);
    expect(addPending(timers, wait({ time: 2, key: 'a' }), 500)).toBe('settled');
    expect(takePending(timers, 102)).toEqual([]);
  });

  it('is bounded, and so is what it remembers', () => {
    const timers = makeTimers();
    for (let i = 0; i < 1_000; i++) {
      addPending(timers, wait({ time: i, key: `cart-${i}` }), i + 500);
      cancelPending(timers, 'other', `${i}`, i, i + 500);
    }
    expect(timers.pending).toHaveLength(timerLimits.pending);
    expect(timers.marks).toHaveLength(timerLimits.marks);
    expect(addPending(timers, wait({ time: 5, key: 'x' }), 500)).toBe('full');
    forgetMarks(timers, 5_000);
    expect(timers.marks).toEqual([]);
    const other = makeTimers();
    addPending(other, wait({ time: 9_999, key: 'new' }), 500);
    expect(mergeTimers(timers, other, gap)).toBe(1);
  });

  it('that there is no room for is chosen by due time, trigger, key and beginning alone', () => {
    const many = fc.uniqueArray(fc.record({ time: fc.nat(40), key: fc.integer({ min: 0, max: 50 }) }), {
      selector: ({ time, key }) => `${time} ${key}`,
      minLength: timerLimits.pending / 2,
      maxLength: timerLimits.pending,
    });
    fc.assert(
      fc.property(many, many, (left, right) => {
        const [a, b] = [left, right].map((some, side) => {
          const timers = makeTimers();
          for (const { time, key } of some) addPending(timers, wait({ time, key: `${side}-${key}` }), 1_000);
          return timers;
        }) as [Timers, Timers];
        const all = [...listPending(a), ...listPending(b)];
        const copy = structuredClone(a);
        const refused = mergeTimers(a, structuredClone(b), gap);
        expect(mergeTimers(b, copy, gap)).toBe(refused);
        expect(listPending(a)).toEqual(listPending(b));
        expect(listPending(a).length + refused).toBe(all.length);
        const last = Math.max(...listPending(a).map(({ due }) => due));
        const leftOut = all.filter(
          (one) => !listPending(a).some(({ key, from }) => key === one.key && from === one.from),
        );
        for (const { due } of leftOut) expect(due).toBeGreaterThanOrEqual(last);
      }),
      { numRuns: 100 },
    );
  });

  it('of conditions is joined: one that holds for either holds, and cools down from the later firing', () => {
    const [into, from] = [makeTimers(), makeTimers()];
    heldOf(into, 'full').firedAt = 5;
    Object.assign(heldOf(from, 'full'), { isTrue: true, firedAt: 3 });
    mergeTimers(into, from, gap);
    expect(into.held).toEqual([{ trigger: 'full', isTrue: true, firedAt: 5 }]);
  });
});
