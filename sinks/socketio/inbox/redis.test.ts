import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestRedis, type TestRedis } from '../../../tests/support/redis.ts';
import { inboxContract } from './inbox.contract.ts';
import type { PendingOffer } from './port.ts';
import { redisInbox } from './redis.ts';

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startTestRedis();
  redis = new Redis(server.url, { maxRetriesPerRequest: 0, retryStrategy: () => 20 });
  redis.on('error', () => undefined);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

inboxContract(async () => redisInbox(redis));

describe('an inbox in Redis', () => {
  const who = { partition: 3, tenant: 'shop', subject: 'u:42' };
  const offer = (decision: string, expiresAt: number): PendingOffer => ({
    decision,
    action: 'a',
    placement: 'p',
    content: {},
    because: 't',
    simulated: false,
    decidedAt: 0,
    expiresAt,
  });

  it("lives in its partition's hash slot and leaves by itself: offers at their expiry, their records a day later", async () => {
    const inbox = redisInbox(redis);
    await inbox.put(who, offer('long', 100_000), 0);
    await inbox.put(who, offer('short', 10_000), 0);
    const day = 24 * 3_600_000;
    const left = await redis.pttl('{events.v1:3}:inbox:shop:u:42');
    expect(left).toBeGreaterThan(90_000);
    expect(left).toBeLessThanOrEqual(100_000);
    const remembered = await redis.pttl('{events.v1:3}:pushed:shop:u:42');
    expect(remembered).toBeGreaterThan(day + 90_000);
    expect(remembered).toBeLessThanOrEqual(day + 100_000);
  });

  it('survives a killed Redis, and says it is away while it is', async () => {
    const inbox = redisInbox(redis);
    const other = { ...who, subject: 'u:43' };
    await inbox.put(other, offer('d1', 100_000), 0);
    await inbox.claim(other, 'd1', 'tab', 0);
    await server.kill();
    await expect(inbox.pending(other, 0)).rejects.toMatchObject({
      code: 'inbox_unavailable',
      retriable: true,
    });
    await server.restart();
    await expect
      .poll(() =>
        inbox.pending(other, 0).then(
          (offers) => offers.length,
          () => -1,
        ),
      )
      .toBe(1);
    expect(await inbox.claim(other, 'd1', 'other tab', 0)).toBe('held');
  });
});
