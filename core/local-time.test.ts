import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localTime } from './local-time.ts';

const day = 86_400_000;
const minutes = (hour: number, minute = 0) => hour * 60 + minute;

describe('local time', () => {
  it('knows summer time, and the day that it is there', () => {
    const noon = Date.UTC(2026, 6, 1, 12);
    expect(localTime('Europe/Paris', noon)).toEqual({ day: noon / day - 0.5, minute: minutes(14) });
    expect(localTime('Europe/Paris', Date.UTC(2026, 0, 1, 23, 30))).toEqual({
      day: Date.UTC(2026, 0, 2) / day,
      minute: 30,
    });
    expect(localTime('Asia/Kathmandu', noon)?.minute).toBe(minutes(17, 45));
    expect(localTime('America/New_York', Date.UTC(2026, 0, 1, 2))?.day).toBe(Date.UTC(2025, 11, 31) / day);
  });

  it('is null where there is no such zone', () => {
    expect(localTime('Europe/Nowhere', 0)).toBeNull();
    expect(localTime('x'.repeat(100), 0)).toBeNull();
    expect(localTime('', 0)).toBeNull();
  });

  it('is UTC in UTC, at any time in any order', () => {
    const time = fc.integer({ min: 0, max: 4e12 });
    fc.assert(
      fc.property(fc.array(time), (times) => {
        for (const at of times)
          expect(localTime('UTC', at)).toEqual({
            day: Math.floor(at / day),
            minute: Math.floor((at % day) / 60_000),
          });
      }),
    );
  });
});
