import { describe, expect, it } from 'vitest';
import { manualClock } from '../tests/support/clock.ts';
import { makeThroughput } from './throughput.ts';

describe('throughput', () => {
  it('counts by whole seconds, oldest first, with quiet ones as zeros', () => {
    const clock = manualClock(10_000);
    const throughput = makeThroughput(clock);
    throughput.committed(100, 3, 5);
    throughput.committed(1, 0, 50);
    throughput.pushed(20);
    expect(throughput.read().points).toEqual([]);
    clock.set(12_400);
    const { points } = throughput.read();
    expect(points.map(({ at, events, decisions, pushed }) => [at, events, decisions, pushed])).toEqual([
      [10_000, 101, 3, 1],
      [11_000, 0, 0, 0],
    ]);
    expect(points[1]).toMatchObject({ commitP50: null, pushP99: null });
  });

  it('knows percentiles within 13%', () => {
    const clock = manualClock(0);
    const throughput = makeThroughput(clock);
    for (let ms = 1; ms <= 1_000; ms++) throughput.committed(1, 0, ms);
    clock.set(1_000);
    const point = throughput.read().points[0];
    expect(Math.abs((point?.commitP50 ?? 0) - 500) / 500).toBeLessThan(0.13);
    expect(Math.abs((point?.commitP99 ?? 0) - 990) / 990).toBeLessThan(0.13);
  });

  it('keeps 900 seconds, and forgets what is older even if nothing came since', () => {
    const clock = manualClock(0);
    const throughput = makeThroughput(clock);
    for (let second = 0; second < 2_000; second++) {
      clock.set(second * 1_000);
      throughput.committed(second, 0, 1);
    }
    clock.set(2_000_000);
    const { points } = throughput.read();
    expect(points).toHaveLength(900);
    expect([points[0]?.events, points.at(-1)?.events]).toEqual([1_100, 1_999]);
    clock.set(9_000_000);
    expect(throughput.read().points.every(({ events }) => events === 0)).toBe(true);
  });
});
