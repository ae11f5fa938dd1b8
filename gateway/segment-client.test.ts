import { Analytics } from '@segment/analytics-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PresageError } from '../core/index.ts';
import { memoryLog } from '../stream/log/index.ts';
import { eventsIn, type Lab, realClock, startLab } from '../tests/support/gateway.ts';

describe('the real @segment/analytics-node, unchanged but for its host', () => {
  const inner = memoryLog({ partitions: 4, clock: realClock });
  let refusals = 0;
  let lab: Lab;
  let writeKey: string;
  beforeAll(async () => {
    lab = await startLab({
      log: {
        ...inner,
        append: async (records) => {
          if (refusals-- > 0) throw new PresageError('log_full', 'The log is full.', { retriable: true });
          return inner.append(records);
        },
      },
    });
    writeKey = (await lab.keysOf('acme')).secret;
  });
  afterAll(() => lab.stop());

  it('delivers every call once', async () => {
    const analytics = new Analytics({ writeKey, host: lab.address, flushAt: 15 });
    const failures: unknown[] = [];
    analytics.on('error', (error) => failures.push(error));
    for (let i = 0; i < 100; i++) {
      analytics.track({
        userId: `u${i % 9}`,
        event: 'viewed',
        properties: { sku: `sku-${i}`, price: i / 2 },
      });
    }
    const at = new Date('2018-11-01T10:00:00.250Z');
    analytics.identify({ userId: 'u1', traits: { plan: 'gold' }, timestamp: at });
    analytics.page({ anonymousId: 'visitor', name: 'Home', properties: { path: '/' } });
    analytics.screen({ anonymousId: 'visitor', name: 'Main' });
    analytics.group({ userId: 'u1', groupId: 'g1', traits: { size: 2 } });
    analytics.alias({ userId: 'u1', previousId: 'visitor' });
    await analytics.closeAndFlush();

    expect(failures).toEqual([]);
    const events = await eventsIn(inner);
    expect(events).toHaveLength(105);
    expect(new Set(events.map(({ id }) => id)).size).toBe(105);
    const viewed = events.filter(({ type }) => type === 'viewed').map(({ properties }) => properties.sku);
    expect(new Set(viewed)).toEqual(new Set(Array.from({ length: 100 }, (_, i) => `sku-${i}`)));
    expect(events.find(({ type }) => type === 'identify')).toMatchObject({
      time: at.getTime(),
      properties: { plan: 'gold' },
      tenant: 'acme',
      source: 'http',
    });
    expect(events.find(({ type }) => type === 'page')).toMatchObject({
      anonymousId: 'visitor',
      properties: { path: '/', name: 'Home' },
    });
    expect(events.find(({ type }) => type === 'group')).toMatchObject({
      properties: { groupId: 'g1', size: 2 },
    });
    expect(events.find(({ type }) => type === 'alias')).toMatchObject({
      properties: { previousId: 'visitor' },
    });
  });

  it('tries again when the log is full, and then delivers', async () => {
    refusals = 2;
    const analytics = new Analytics({ writeKey, host: lab.address, maxRetries: 5 });
    analytics.track({ userId: 'patient', event: 'viewed', properties: { sku: 'again' } });
    await analytics.closeAndFlush({ timeout: 60_000 });
    const mine = (await eventsIn(inner)).filter(({ userId }) => userId === 'patient');
    expect(mine).toHaveLength(1);
    expect(refusals).toBeLessThan(0);
  });
});
