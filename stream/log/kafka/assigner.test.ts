import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Claim, divide } from './assigner.ts';

const partitionsOf = (count: number): number[] => Array.from({ length: count }, (_, partition) => partition);
const claim = (member: string, held: number[] = [], since = 0): Claim => ({ member, held, since });
const plain = (shares: Map<string, number[]>) => Object.fromEntries(shares);

describe('how a group divides its partitions', () => {
  it('changes nothing where nothing has to change', () => {
    expect(plain(divide(partitionsOf(4), [claim('a', [1, 3]), claim('b', [0, 2])]))).toEqual({
      a: [1, 3],
      b: [0, 2],
    });
  });

  it('moves only what a newcomer needs', () => {
    const shares = divide(partitionsOf(4), [claim('a', [0, 1, 2, 3]), claim('b')]);
    expect(plain(shares)).toEqual({ a: [0, 1], b: [2, 3] });
  });

  it('gives what a member left behind to the others, who keep what they have', () => {
    expect(plain(divide(partitionsOf(5), [claim('a', [0, 4]), claim('b', [2])]))).toMatchObject({
      a: expect.arrayContaining([0, 4]),
      b: expect.arrayContaining([2]),
    });
  });

  it('believes the later of two that claim a partition', () => {
    const shares = divide(partitionsOf(2), [claim('paused', [0, 1], 1), claim('fresh', [0], 2)]);
    expect(plain(shares)).toEqual({ paused: [1], fresh: [0] });
  });

  it('gives each partition to one member, counts differ by at most one, and no more move than must', () => {
    const claims = fc.uniqueArray(
      fc.record({
        member: fc.string({ minLength: 1, maxLength: 3 }),
        held: fc.uniqueArray(fc.integer({ min: 0, max: 20 })),
        since: fc.integer({ min: 0, max: 3 }),
      }),
      { minLength: 1, maxLength: 6, selector: ({ member }) => member },
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 16 }), claims, fc.nat(), (count, told, turn) => {
        const partitions = partitionsOf(count);
        const shares = divide(partitions, told);
        expect([...shares.values()].flat().sort((a, b) => a - b)).toEqual(partitions);
        const sizes = [...shares.values()].map((held) => held.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        const turned = [...told.slice(turn % told.length), ...told.slice(0, turn % told.length)];
        expect(new Map([...divide(partitions, turned)].sort())).toEqual(new Map([...shares].sort()));
        // The same group joining again stays as it is.
        const again = told.map(({ member }) => claim(member, shares.get(member), 9));
        expect(new Map([...divide(partitions, again)].sort())).toEqual(new Map([...shares].sort()));
      }),
      { numRuns: 500 },
    );
  });
});
