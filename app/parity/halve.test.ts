import { describe, expect, it } from 'vitest';
import { PresageError } from '../../core/index.ts';
import { inHalves } from './halve.ts';

const upTo =
  (most: number, code: string) =>
  async (items: readonly number[]): Promise<readonly number[]> => {
    if (items.length > most) throw new PresageError(code, 'too much');
    return items;
  };

describe('a query about many', () => {
  it.each(['body_too_large', 'invalid_request', 'sql_failed', 'sql_refused'])(
    'is halved until it is taken, where the answer is %s',
    async (code) => {
      expect(await inHalves([1, 2, 3, 4, 5], upTo(2, code))).toEqual([[1, 2], [3], [4, 5]]);
      expect(await inHalves([], upTo(0, code))).toEqual([]);
    },
  );

  it('fails where one is too much, and for every other reason', async () => {
    await expect(inHalves([1, 2], upTo(0, 'body_too_large'))).rejects.toThrow('too much');
    let asked = 0;
    const ask = async () => {
      asked++;
      throw new PresageError('instance_unreachable', 'gone');
    };
    await expect(inHalves([1, 2], ask)).rejects.toThrow('gone');
    expect(asked).toBe(1);
  });
});
