import { describe, expect, it } from 'vitest';
import { mergePoints, type Point } from '../api/throughput.ts';
import { linePath } from './path.ts';
import { linearScale, logScale, niceTop, recent, sample, spanOf } from './scale.ts';

const point = (second: number, rest: Partial<Point> = {}): Point => ({
  at: second * 1_000,
  events: 0,
  decisions: 0,
  pushed: 0,
  commitP50: null,
  commitP99: null,
  pushP50: null,
  pushP99: null,
  ...rest,
});
const points = (count: number, make: (second: number) => Partial<Point>): Point[] =>
  Array.from({ length: count }, (_, second) => point(second, make(second)));

describe('a chart', () => {
  it('covers the shortest span that holds all points', () => {
    expect([2, 61, 62, 200, 900].map((count) => spanOf(points(count, () => ({}))))).toEqual([
      60, 60, 120, 300, 900,
    ]);
  });

  it('keeps every event of the span in its means', () => {
    const samples = sample(
      points(900, (second) => ({ events: second % 7 })),
      'events',
      900,
    );
    expect(samples.length).toBeLessThanOrEqual(181);
    const total = samples.reduce((sum, { value }) => sum + (value ?? 0) * 5, 0);
    const all = points(900, (second) => ({ events: second % 7 })).reduce(
      (sum, { events }) => sum + events,
      0,
    );
    expect(total).toBeCloseTo(all, 6);
  });

  it('never hides the worst p99, and takes silence for no data', () => {
    const noisy = points(900, (second) => (second === 451 ? { commitP99: 80 } : { commitP99: 2 }));
    expect(Math.max(...sample(noisy, 'commitP99', 900).map(({ value }) => value ?? 0))).toBe(80);
    expect(
      recent(
        points(20, () => ({})),
        'commitP50',
        10,
      ),
    ).toBeNull();
    expect(
      recent(
        points(20, (second) => ({ commitP50: second })),
        'commitP50',
        5,
      ),
    ).toBe(17);
    expect(
      recent(
        points(20, () => ({ events: 4 })),
        'events',
        10,
      ),
    ).toBe(4);
  });

  it('has scales that hold their values and divide well', () => {
    expect([0, 0.3, 1, 27, 101, 9_000].map(niceTop)).toEqual([1, 0.3, 1, 30, 150, 10_000]);
    expect(linearScale([3, 26])).toEqual({ bottom: 0, top: 30, marks: [15, 30] });
    expect(logScale([0.7, 34])).toEqual({ bottom: 0.1, top: 100, marks: [1, 10, 100] });
    expect(logScale([5])).toEqual({ bottom: 1, top: 10, marks: [10] });
    expect(logScale([])).toEqual({ bottom: 0.1, top: 10, marks: [1, 10] });
  });

  it('bridges a quiet moment, and breaks its line after half a minute', () => {
    const frame = { width: 100, height: 50, from: 0, to: 100_000, bottom: 0, top: 10, isLog: false };
    const at = (second: number, value: number | null) => ({ at: second * 1_000, value });
    const moves = (path: string) => path.split('M').length - 1;
    expect(moves(linePath([at(0, 1), at(5, null), at(10, 2)], frame))).toBe(1);
    expect(moves(linePath([at(0, 1), at(5, 2), at(60, 2), at(65, 3)], frame))).toBe(2);
  });
});

describe('the throughput that comes bit by bit', () => {
  it('is put together once each, the newer answer winning, at most 15 minutes of it', () => {
    const known = points(900, () => ({ events: 1 }));
    const fresh = [point(899, { events: 5 }), point(900), point(901)];
    const merged = mergePoints(known, fresh);
    expect(merged).toHaveLength(900);
    expect(merged[0]?.at).toBe(2_000);
    expect(merged.filter(({ at }) => at === 899_000)).toEqual([point(899, { events: 5 })]);
    expect(mergePoints(known, [])).toBe(known);
    expect(mergePoints(known, known)).toEqual(known);
  });
});
