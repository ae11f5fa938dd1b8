import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareText, keptText, textOf } from './text.ts';

describe('texts', () => {
  it('are ordered as their UTF-8 bytes', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 4 });
    const special = fc.constantFrom('\u{1f600}', '\uffee', '\ue000', 'z', 'zz', '');
    fc.assert(
      fc.property(fc.oneof(text, special), fc.oneof(text, special), (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });

  it('are kept so that UTF-8 gives them back, within 256 units', () => {
    for (const text of ['ok', '\ud800', `${'a'.repeat(255)}\u{1f600}`, 'x\udc00y']) {
      const kept = keptText(text);
      expect(Buffer.from(kept).toString()).toBe(kept);
      expect(kept.length).toBeLessThanOrEqual(256);
    }
  });

  it('are made of strings, numbers and booleans only', () => {
    expect([textOf('x'), textOf(7), textOf(true), textOf(null), textOf({}), textOf(Number.NaN)]).toEqual([
      'x',
      '7',
      'true',
      null,
      null,
      null,
    ]);
  });
});
