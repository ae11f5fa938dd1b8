import { describe, expect, it } from 'vitest';
import { queryError, sentenceOf, writeError } from './errors.ts';
import { queryLimits } from './limits.ts';

describe("ClickHouse's messages", () => {
  it.each([
    [
      "Unknown table expression identifier 'nope' in scope SELECT * FROM nope. Maybe you meant system.one?. ",
      "Unknown table expression identifier 'nope'. Did you mean system.one?",
    ],
    [
      'Syntax error: failed at position 7 (1) (line 1, col 7): 1. Expected one of: token sequence, Dot, token',
      'Syntax error: failed at position 7 (1) (line 1, col 7): 1.',
    ],
    [
      "Unknown format Nope. Maybe you meant: ['One','Npy']. ",
      "Unknown format Nope. Did you mean 'One','Npy'?",
    ],
    [
      "Code: 395. DB::Exception: Value passed to 'throwIf' function is non-zero: while executing 'FUNCTION throwIf(1)'",
      "Value passed to 'throwIf' function is non-zero.",
    ],
  ])('become a sentence: %s', (message, sentence) => {
    expect(sentenceOf(message)).toBe(sentence);
  });

  it('say which limit a query ran into', () => {
    const failed = (code: number): string =>
      queryError({ code: String(code), message: 'x' }, queryLimits).message;
    expect(failed(159)).toContain('30 s');
    expect(failed(241)).toContain('1024 MB');
    expect(failed(396)).toContain('LIMIT');
  });

  it('tell a full disk, an unreadable row and an absent server apart', () => {
    const of = (error: object): [string, boolean] => {
      const { code, retriable } = writeError(error, 'rows of events');
      return [code, retriable];
    };
    expect(
      of(Object.assign(new Error('Code: 243. Cannot reserve 1.00 MiB'), { clickhouseCode: 243 })),
    ).toEqual(['no_disk_space', true]);
    expect(of(new Error('Cannot write to file: errno: 28, strerror: No space left on device'))).toEqual([
      'no_disk_space',
      true,
    ]);
    expect(of(Object.assign(new Error('Cannot parse input'), { code: '27' }))).toEqual([
      'insert_refused',
      false,
    ]);
    expect(of(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))).toEqual([
      'warehouse_unavailable',
      true,
    ]);
    expect(of(Object.assign(new Error('Too many parts'), { code: '252' }))).toEqual([
      'warehouse_unavailable',
      true,
    ]);
  });
});
