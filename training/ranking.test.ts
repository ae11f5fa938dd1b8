import { describe, expect, it } from 'vitest';
import { randomFrom } from './random.ts';
import { clusterBootstrap, meanOf, reciprocalRanks } from './ranking.ts';

describe('reciprocal ranks', () => {
  it('are 1 / place of the chosen row, ties in the order of the rows', () => {
    const lists = Int32Array.of(0, 0, 0, 1, 1, 2, 2);
    const labels = Uint8Array.of(0, 0, 1, 1, 0, 0, 0);
    expect([...reciprocalRanks({ lists, labels }, [3, 1, 2, 5, 5, 1, 2])]).toEqual([1 / 2, 1, 0]);
    expect([...reciprocalRanks({ lists, labels }, [5, 5, 5, 5, 5, 5, 5])]).toEqual([1 / 3, 1, 0]);
  });
});

describe('the bootstrap by cluster', () => {
  it('is wider where clusters agree within themselves, and about right where rows are independent', () => {
    const random = randomFrom(4);
    const values = Array.from({ length: 2_000 }, () => random.uniform());
    const apart = clusterBootstrap(
      values,
      values.map((_, i) => `${i}`),
    );
    const half = (1.96 * Math.sqrt(1 / 12)) / Math.sqrt(2_000);
    expect(apart.mean).toBeCloseTo(meanOf(values));
    expect((apart.high - apart.low) / 2 / half).toBeCloseTo(1, 0);
    const together = values.map((_, i) => values[Math.floor(i / 20)] ?? 0);
    const clustered = clusterBootstrap(
      together,
      values.map((_, i) => `${Math.floor(i / 20)}`),
    );
    expect(clustered.high - clustered.low).toBeGreaterThan(3 * (apart.high - apart.low));
  });
});
