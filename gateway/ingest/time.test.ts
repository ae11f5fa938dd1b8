import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTime } from './time.ts';

const receivedAt = Date.UTC(2026, 5, 1);
const day = 24 * 3_600_000;
const anyTime = fc.integer({ min: Date.UTC(1971), max: Date.UTC(2100) });

describe('event time', () => {
  it('is the same in every spelling, and kept exactly between 2000 and a day from now', () => {
    fc.assert(
      fc.property(anyTime, fc.integer({ min: -14 * 60, max: 14 * 60 }), (time, offsetMinutes) => {
        const iso = new Date(time).toISOString();
        const sign = offsetMinutes < 0 ? '-' : '+';
        const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
        const [h, m] = [two(Math.abs(offsetMinutes) / 60), two(Math.abs(offsetMinutes) % 60)];
        const local = new Date(time + offsetMinutes * 60_000).toISOString().slice(0, -1);
        const spellings = [
          time,
          iso,
          iso.slice(0, -1),
          iso.replace('T', ' '),
          iso.replace('.', ','),
          `${local}${sign}${h}:${m}`,
          `${local}${sign}${h}${m}`,
        ];
        const inRange = time >= Date.UTC(2000) && time <= receivedAt + day;
        for (const spelling of spellings) {
          const read = readTime(spelling, receivedAt);
          expect([spelling, read.ok ? read.value : read.reason.code]).toEqual([
            spelling,
            inRange ? time : 'time_out_of_range',
          ]);
        }
      }),
    );
  });

  it('is the receive time where none is stated', () => {
    for (const nothing of [undefined, null, ''])
      expect(readTime(nothing, receivedAt)).toEqual({ ok: true, value: receivedAt });
  });

  it('is refused with a reason, never an exception, whatever is sent', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.string(), fc.double()), (value) => {
        const read = readTime(value, receivedAt);
        if (read.ok) expect(Number.isInteger(read.value)).toBe(true);
        else expect(read.reason.message).toMatch(/[.?]$/);
      }),
    );
  });
});
