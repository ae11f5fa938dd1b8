import { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { RedisCaller } from './caller.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };

it('sends nothing once the patience of a call has ended', async () => {
  const redis = Object.assign(new EventEmitter(), { status: 'connecting', disconnect: () => {} });
  const caller = new RedisCaller({
    connector: { where: 'nowhere', connect: () => redis as unknown as Redis },
    name: 'state',
    clock,
    patienceMs: 60_000,
    commandTimeoutMs: 60_000,
  });
  let sent = 0;
  const call = caller.call(async () => ++sent, { what: 'decide', repeatable: true, patienceMs: 5 });
  await expect(call).rejects.toMatchObject({ code: 'state_unavailable', retriable: true });
  redis.status = 'ready';
  redis.emit('ready');
  expect(await caller.call(async () => 'next', { what: 'decide', repeatable: true })).toBe('next');
  expect(sent).toBe(0);
  caller.close();
});
