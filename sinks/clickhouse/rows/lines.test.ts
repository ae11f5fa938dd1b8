import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linesBuffer } from './lines.ts';

describe('lines', () => {
  it('are the bytes of the texts, one after the other, whatever they are and however many', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 30_000 }), { maxLength: 5 }), (texts) => {
        const lines = linesBuffer();
        for (const text of texts) lines.add(text);
        expect(lines.count).toBe(texts.length);
        expect(lines.bytes().equals(Buffer.from(texts.join(''), 'utf8'))).toBe(true);
      }),
    );
  });
});
