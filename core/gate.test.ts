import { describe, expect, it } from 'vitest';
import { makeGate } from './index.ts';

const gate = (patienceMs = 60_000) => makeGate({ patienceMs, what: 'Something is going on' });

describe('a gate', () => {
  it('lets everyone in while it is open', async () => {
    expect(await gate().within(async () => 7)).toBe(7);
  });

  it('closes when those inside have left, and keeps who comes outside until it opens', async () => {
    const held = gate();
    const leave = await held.enter();
    const order: string[] = [];
    const closed = held.close(60_000).then((isEmpty) => order.push(`closed ${isEmpty}`));
    const late = held.within(async () => order.push('late'));
    order.push('before');
    leave();
    leave();
    await closed;
    held.open();
    await late;
    expect(order).toEqual(['before', 'closed true', 'late']);
  });

  it('tells that somebody stays inside', async () => {
    const held = gate();
    await held.enter();
    expect(await held.close(1)).toBe(false);
  });

  it('sends away who has waited too long', async () => {
    const held = gate(1);
    await held.close(1);
    await expect(held.enter()).rejects.toMatchObject({ code: 'held_back', retriable: true });
  });
});
