import { describe, expect, it } from 'vitest';
import { turns } from './turns.ts';

describe('turns', () => {
  it('runs so many at once, lets so many wait, and refuses the rest', async () => {
    const take = turns(1, 1);
    const order: string[] = [];
    let finish: () => void = () => {};
    const first = take(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    ).then(() => order.push('first'));
    const second = take(async () => {
      order.push('second');
    });
    await expect(take(async () => {})).rejects.toMatchObject({ code: 'warehouse_busy', retriable: true });
    expect(order).toEqual([]);
    finish();
    await Promise.all([first, second]);
    expect(order).toContain('second');
  });

  it('gives the place on after a failure', async () => {
    const take = turns(1, 1);
    await expect(take(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(take(async () => 'yes')).resolves.toBe('yes');
  });
});
