import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibrated } from './calibrate.ts';

describe('calibration', () => {
  it('by Platt is the logistic function of the log odds', () => {
    const same = { kind: 'platt', a: 1, b: 0 } as const;
    for (const p of [0.01, 0.3, 0.5, 0.99]) expect(calibrated(same, p)).toBeCloseTo(p, 12);
    // 0.8 has log odds ln 4 = 1.3863; half of it less 1 is -0.30685, of which the logistic function is 0.42388.
    expect(calibrated({ kind: 'platt', a: 0.5, b: -1 }, 0.8)).toBeCloseTo(0.42388, 5);
    expect(calibrated({ kind: 'platt', a: 1, b: 0 }, 1)).toBeLessThan(1);
  });

  it('by isotonic regression lies on the lines between the points and is level outside', () => {
    const steps = { kind: 'isotonic', x: [0.1, 0.3, 0.5], y: [0.05, 0.05, 0.45] } as const;
    const points = { ...steps, x: [...steps.x], y: [...steps.y] };
    const values = [0, 0.1, 0.2, 0.4, 0.5, 1].map((p) => calibrated(points, p));
    const wanted = [0.05, 0.05, 0.05, 0.25, 0.45, 0.45];
    values.forEach((value, at) => {
      expect(value).toBeCloseTo(wanted[at] ?? Number.NaN, 12);
    });
    expect(calibrated({ kind: 'isotonic', x: [0.2], y: [0.7] }, 0.9)).toBe(0.7);
  });

  it('by isotonic regression never turns an order round', () => {
    const points = fc
      .uniqueArray(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 30 })
      .chain((xs) =>
        fc.tuple(
          fc.constant([...xs].sort((a, b) => a - b).map((x) => x / 1_000)),
          fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
            minLength: xs.length,
            maxLength: xs.length,
          }),
        ),
      )
      .map(([x, y]) => ({ kind: 'isotonic' as const, x, y: y.sort((a, b) => a - b) }));
    const p = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(points, p, p, (isotonic, one, other) => {
        const [low, high] = one < other ? [one, other] : [other, one];
        expect(calibrated(isotonic, low)).toBeLessThanOrEqual(calibrated(isotonic, high) + 1e-12);
      }),
      { numRuns: 300 },
    );
  });
});
