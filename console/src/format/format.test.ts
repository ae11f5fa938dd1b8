import { describe, expect, it } from 'vitest';
import {
  counted,
  durationText,
  formatCompact,
  formatFactor,
  formatMoney,
  formatNumber,
  formatPercent,
  formatRate,
  formatUtc,
  formatValue,
  shortId,
} from './index.ts';

describe('numbers', () => {
  it.each([
    [null, '– ms'],
    [0, '0 ms'],
    [0.001, '<0.01 ms'],
    [0.4242, '0.42 ms'],
    [9.96, '9.96 ms'],
    [38.123, '38.1 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [61_300, '61.3 s'],
    [600_000, '10 min'],
    [86_400_000, '24 h'],
    [604_800_000, '7 d'],
  ])('%s ms read as %s', (ms, text) => expect(durationText(ms)).toBe(text));

  it.each([
    [0, '0'],
    [0.01, '<0.1'],
    [0.27, '0.3'],
    [2, '2'],
    [2.34, '2.3'],
    [9.96, '10'],
    [412.6, '413'],
    [171_999, '172K'],
  ])('%s a second read as %s', (rate, text) => expect(formatRate(rate)).toBe(text));

  it('say shares with as many digits as they need', () => {
    expect([0, 0.00001, 0.0093, 0.1234, 1].map(formatPercent)).toEqual([
      '0%',
      '<0.01%',
      '0.93%',
      '12.3%',
      '100.0%',
    ]);
  });

  it('keep large and small ones readable', () => {
    expect([59.9, 21_407, 123_456.789, 0.000_001, 1e20].map(formatNumber)).toEqual([
      '59.9',
      '21,407',
      '123,457',
      '1.00e-6',
      '1.00e+20',
    ]);
    expect(formatFactor(1.89618)).toBe('1.896');
    expect(formatCompact(12_345_678)).toBe('12.3M');
  });

  it('write money in its currency, known to the browser or not', () => {
    expect(formatMoney(6.5, 'EUR')).toBe('€6.50');
    expect(formatMoney(6.5, null)).toBe('6.5');
    expect(formatMoney(6.5, '??')).toBe('6.5 ??');
  });

  it('count with the right word', () => {
    expect([counted(1, 'event'), counted(2_000, 'event')]).toEqual(['1 event', '2,000 events']);
  });
});

describe('values', () => {
  it('are one line each, and nothing is never an empty place', () => {
    expect([null, '', [], {}, true, ['a', 'b'], { boots: 2, hats: 1 }].map(formatValue)).toEqual([
      'no value',
      '(empty)',
      '(none)',
      '(none)',
      'true',
      'a, b',
      'boots 2, hats 1',
    ]);
    expect(formatValue(Array.from({ length: 11 }, (_, index) => `p${index}`))).toMatch(/p7 and 3 more$/);
  });

  it('ids keep head and tail', () => {
    expect(shortId('a:sim-7f3a91c2e0')).toBe('a:sim-7f3a91c2e0');
    expect(shortId(`u:${'x'.repeat(60)}tail`, 16)).toBe('u:xxxxxxxxx…tail');
    expect(shortId(`u:${'x'.repeat(60)}tail`, 16)).toHaveLength(16);
  });

  it('times are said in UTC too, and an impossible one is no crash', () => {
    expect(formatUtc(Date.UTC(2026, 2, 1, 13, 3, 22, 104))).toBe('2026-03-01 13:03:22.104 UTC');
    expect(formatUtc(1e17)).toBe('no valid time');
  });
});
