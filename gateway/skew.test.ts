import { Analytics } from '@segment/analytics-node';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventsIn, type Lab, startLab } from '../tests/support/gateway.ts';
import { skewOf } from './ingest/skew.ts';

const hour = 3_600_000;
/** What a run of these tests takes, with room for a busy machine. */
const slack = 20 * 60_000;
/** Of the gateway, which stays right while `Date`, the client's clock, is wrong. */
const trueClock = {
  now: () => Math.floor(performance.timeOrigin + performance.now()),
  monotonic: () => performance.now(),
};

let lab: Lab;
let writeKey: string;
beforeAll(async () => {
  lab = await startLab({ clock: trueClock });
  writeKey = (await lab.keysOf('acme')).secret;
});
afterAll(() => lab.stop());
afterEach(() => vi.useRealTimers());

let made = 0;
/** Event times as the log has them, of calls sent in one body to the batch route or, if it is one, to its own. */
async function timesOf(messages: readonly object[], sentAt: unknown, alone = false): Promise<number[]> {
  const calls = messages.map((message) => ({
    type: 'track',
    event: 'viewed',
    userId: 'u1',
    messageId: `skew-${made++}`,
    properties: { sku: 'a' },
    ...message,
  }));
  const { status } = alone
    ? await lab.post('/v1/track', { ...calls[0], sentAt }, writeKey)
    : await lab.post('/v1/batch', { batch: calls, sentAt }, writeKey);
  expect(status).toBe(200);
  const events = new Map((await eventsIn(lab.log)).map(({ id, time }) => [id, time]));
  return calls.map(({ messageId }) => events.get(messageId) ?? Number.NaN);
}
const iso = (time: number): string => new Date(time).toISOString();
const expectNear = (time: number | undefined, truth: number): void =>
  expect(Math.abs((time ?? Number.NaN) - truth)).toBeLessThan(slack);

describe('the clock of a client', () => {
  it.each([
    ['an hour ahead', hour],
    ['an hour behind', -hour],
    ['right', 0],
  ])('that is %s gives the true time through the real @segment/analytics-node', async (_, wrong) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + wrong });
    const begun = trueClock.now();
    const analytics = new Analytics({ writeKey, host: lab.address, flushAt: 3 });
    const userId = `client-${wrong}`;
    for (let i = 0; i < 3; i++) {
      analytics.track({
        userId,
        event: 'viewed',
        properties: { sku: `s${i}` },
        timestamp: new Date(Date.now() - (3 - i) * 60_000),
      });
    }
    await analytics.closeAndFlush();
    vi.useRealTimers();
    const mine = (await eventsIn(lab.log)).filter((event) => event.userId === userId);
    const bySku = new Map(mine.map(({ properties, time }) => [properties.sku, time]));
    for (let i = 0; i < 3; i++) expectNear(bySku.get(`s${i}`), begun - (3 - i) * 60_000);
    expect((bySku.get('s1') ?? 0) - (bySku.get('s0') ?? 0)).toBe(60_000);
  });

  it.each([hour, -hour, 23 * hour, -23 * hour])(
    'that is %i ms ahead gives the true time by raw HTTP',
    async (wrong) => {
      for (const alone of [true, false]) {
        const now = Date.now();
        const [time] = await timesOf([{ timestamp: iso(now - 5_000 + wrong) }], iso(now + wrong), alone);
        expectNear(time, now - 5_000);
        const [original] = await timesOf([{ originalTimestamp: now - 5_000 + wrong }], now + wrong, alone);
        expectNear(original, now - 5_000);
      }
    },
  );

  it("is the call's own, before the batch's", async () => {
    const now = Date.now();
    const times = await timesOf(
      [
        { timestamp: now + hour, sentAt: iso(now + hour) },
        { timestamp: now - 2 * hour, sentAt: null },
      ],
      iso(now - 2 * hour),
    );
    for (const time of times) expectNear(time, now);
  });

  it('is taken for right when the difference is what a network makes, so that calls stay in order', async () => {
    const now = Date.now();
    // The first was long on its way, the second not.
    const [first] = await timesOf([{ timestamp: now - 2_000 }], now - 9_000);
    const [second] = await timesOf([{ timestamp: now - 1_000 }], now);
    expect([first, second]).toEqual([now - 2_000, now - 1_000]);
  });

  it('moves all calls of a batch alike', async () => {
    const now = Date.now() + hour;
    const times = await timesOf(
      [1, 2, 3, 4].map((i) => ({ timestamp: now - 5_000 + i })),
      now,
    );
    expect(times.map((time) => time - (times[0] ?? 0))).toEqual([0, 1, 2, 3]);
    expectNear(times[0], now - hour);
  });

  it('says nothing in nonsense, in copies of old calls, and where a time has been corrected already', async () => {
    const now = Date.now();
    const nonsense = ['', 'soon', {}, [], true, Number.NaN, 1e300, -1, 0, '0001-01-01', iso(now + 49 * hour)];
    for (const sentAt of [...nonsense, iso(Date.UTC(2019, 0, 1)), now - 25 * hour, null]) {
      expect([sentAt, await timesOf([{ timestamp: now - 7_000 }], sentAt)]).toEqual([sentAt, [now - 7_000]]);
    }
    const corrected = { timestamp: iso(now - 7_000), originalTimestamp: iso(now + hour) };
    expect(await timesOf([corrected], iso(now + hour))).toEqual([now - 7_000]);
    const same = { timestamp: iso(now + hour), originalTimestamp: iso(now + hour) };
    expectNear((await timesOf([same], iso(now + hour)))[0], now);
  });

  it('does not touch a call that states no time', async () => {
    const [time] = await timesOf([{}], Date.now() - hour);
    expectNear(time, Date.now());
  });

  it('is found within its bounds, whatever is sent', () => {
    const receivedAt = Date.UTC(2026, 0, 1);
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.integer({ min: -30 * hour, max: 30 * hour })), (sent) => {
        const sentAt = typeof sent === 'number' && Math.abs(sent) < 31 * hour ? receivedAt + sent : sent;
        const skew = skewOf(sentAt, receivedAt);
        expect(skew === 0 || (Math.abs(skew) > 30_000 && Math.abs(skew) <= 24 * hour)).toBe(true);
      }),
    );
  });
});
