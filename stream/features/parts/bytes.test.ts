import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { throughBytes } from '../../../tests/support/bytes.ts';
import {
  makeReader,
  readBig,
  readDouble,
  readSigned,
  readText,
  readVarint,
  writeBig,
  writeDouble,
  writeSigned,
  writeText,
  writeVarint,
} from './bytes.ts';

const safe = fc.maxSafeInteger();

describe('bytes', () => {
  it('give back every integer, text and double', () => {
    fc.assert(
      fc.property(
        safe,
        fc.bigInt(),
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.double(),
        (n, big, text, double) => {
          const size = Math.abs(n);
          expect(throughBytes((w) => writeVarint(w, size), readVarint)).toBe(size);
          expect(throughBytes((w) => writeSigned(w, n), readSigned)).toBe(n + 0);
          expect(throughBytes((w) => writeBig(w, BigInt.asIntN(120, big)), readBig)).toBe(
            BigInt.asIntN(120, big),
          );
          expect(throughBytes((w) => writeText(w, text), readText)).toBe(text);
          expect(throughBytes((w) => writeDouble(w, double), readDouble)).toBe(double);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('write a big integer as a small one of the same value', () => {
    fc.assert(
      fc.property(safe, (n) => {
        expect(throughBytes((w) => writeSigned(w, n), readBig)).toBe(BigInt(n));
      }),
    );
  });

  it.each([
    ['cut off', [0x80], 'it ends too early'],
    ['longer than need be', [0x81, 0x00], 'longer than it needs'],
    ['beyond 2^53', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], 'too large'],
  ])('refuse an integer that is %s', (_, bytes, why) => {
    expect(() => readVarint(makeReader(Uint8Array.from(bytes)))).toThrow(why);
  });

  it('refuse a text longer than what is left', () => {
    expect(() => readText(makeReader(Uint8Array.from([5, 0x61])))).toThrow('longer than the blob');
  });
});
