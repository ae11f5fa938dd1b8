import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { breakerSettings, makeBreaker } from './breaker.ts';

function rig() {
  const time = { now: 0 };
  const seen: string[] = [];
  const breaker = makeBreaker({ monotonic: () => time.now }, breakerSettings, (state) => seen.push(state));
  const fail = (times = 1) => {
    for (let n = 0; n < times; n++) if (breaker.mayCall()) breaker.failed();
  };
  return { time, breaker, fail, seen };
}

describe('a circuit breaker', () => {
  it('opens after failures in a row, tries once after a while, and closes when that succeeds', () => {
    const { time, breaker, fail, seen } = rig();
    fail(4);
    expect(breaker.mayCall()).toBe(true);
    fail();
    expect(breaker.mayCall()).toBe(false);
    time.now += breakerSettings.waitMs;
    expect([breaker.mayCall(), breaker.mayCall()]).toEqual([true, false]);
    breaker.succeeded();
    expect(breaker.mayCall()).toBe(true);
    expect(seen).toEqual(['open', 'half-open', 'closed']);
  });

  it('waits longer after each trial that fails, up to a limit, and short again after success', () => {
    const { time, breaker, fail } = rig();
    fail(5);
    for (const wait of [500, 1_000, 2_000, 4_000, 4_000]) {
      time.now += wait - 1;
      expect(breaker.mayCall()).toBe(false);
      time.now += 1;
      fail();
    }
    time.now += breakerSettings.mostWaitMs;
    expect(breaker.mayCall()).toBe(true);
    breaker.succeeded();
    fail(5);
    time.now += breakerSettings.waitMs;
    expect(breaker.mayCall()).toBe(true);
  });

  it('opens when half of the calls fail, never five in a row', () => {
    const { breaker } = rig();
    for (let n = 0; n < 40 && breaker.state() === 'closed'; n++) {
      if (n % 2 === 0) breaker.failed();
      else breaker.succeeded();
    }
    expect(breaker.state()).toBe('open');
  });

  it('is not opened by time-outs that came late themselves: this process stood still', () => {
    const { time, breaker, fail } = rig();
    for (let n = 0; n < 100; n++) breaker.failed(60);
    expect(breaker.state()).toBe('closed');
    fail(5);
    time.now += breakerSettings.waitMs;
    expect(breaker.mayCall()).toBe(true);
    breaker.failed(60);
    expect(breaker.state()).toBe('open');
  });

  it('stays closed while fewer fail', () => {
    const { breaker } = rig();
    for (let n = 0; n < 1_000; n++) {
      if (n % 3 === 0) breaker.failed();
      else breaker.succeeded();
    }
    expect(breaker.state()).toBe('closed');
  });

  it('tries again when a trial never ends', () => {
    const { time, breaker, fail } = rig();
    fail(5);
    time.now += breakerSettings.waitMs;
    expect(breaker.mayCall()).toBe(true);
    time.now += breakerSettings.mostWaitMs;
    expect(breaker.mayCall()).toBe(true);
  });

  it('always lets a call through again within the longest wait, whatever came before', () => {
    const step = fc.oneof(
      fc.constant('failed' as const),
      fc.constant('succeeded' as const),
      fc.nat({ max: 3_000 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { time, breaker } = rig();
        for (const one of steps) {
          if (typeof one === 'number') time.now += one;
          else if (breaker.mayCall()) breaker[one]();
        }
        time.now += breakerSettings.mostWaitMs;
        expect(breaker.mayCall()).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
