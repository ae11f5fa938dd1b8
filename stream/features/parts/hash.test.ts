import { describe, expect, it } from 'vitest';
import { hashed, hashNumber, hashText } from './hash.ts';

describe('hashes', () => {
  it('never change: blobs hold them', () => {
    const known = ['', 'a', 'ab', 'event-1', 'ü€😀'].map((text) => {
      hashText(text);
      return [hashed.high, hashed.low, hashNumber(text)];
    });
    expect(known).toMatchInlineSnapshot(`
      [
        [
          -2026128343,
          -189908815,
          4758102019553457,
        ],
        [
          1569207147,
          591147830,
          3290864662885174,
        ],
        [
          141790218,
          -1779584800,
          297355986186464,
        ],
        [
          1363012743,
          2061114167,
          2858444530522935,
        ],
        [
          -272667328,
          -449285628,
          8435375449600516,
        ],
      ]
    `);
  });

  it('tell apart a million ids that differ little, and spread evenly', () => {
    const seen = new Set<number>();
    const byte = new Uint32Array(256);
    for (let i = 0; i < 500_000; i++) {
      for (const id of [`row-${i}`, `${i.toString(16).padStart(8, '0')}-0000-4000-8000-${i}`]) {
        seen.add(hashNumber(id));
        byte[hashed.low & 255]!++;
      }
    }
    expect(seen.size).toBe(1_000_000);
    expect(Math.max(...byte)).toBeLessThan(4_300);
    expect(Math.min(...byte)).toBeGreaterThan(3_500);
  });
});
