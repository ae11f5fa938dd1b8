import { expect, it, vi } from 'vitest';
import { asSubjectId, type Clock, partitionOf, rawIdOf } from '../../core/index.ts';
import type { StoredEvent } from '../../schemas/index.ts';
import { type EventLog, redisStreamsLog } from '../../stream/log/index.ts';
import { redisConnector } from '../../stream/redis/index.ts';
import { redisState } from '../../stream/state/index.ts';
import { patienceMs } from '../../tests/support/patience.ts';
import { withRedis } from '../../tests/support/redis.ts';
import { redisInbox } from './inbox/index.ts';
import { type Browser, decisionOf, makeRig, visitor } from './push.fixture.ts';

const until = (what: () => void | Promise<void>) => vi.waitFor(what, { timeout: patienceMs, interval: 10 });
const partitions = 4;
const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
const subject = asSubjectId('a:v1');
const partition = partitionOf(rawIdOf(subject), partitions);

it('on a real Redis, killed and restarted, and with push restarted: no offer is lost, none shows twice, every exposure is in the log', async () => {
  await withRedis(async (redis) => {
    const connector = redisConnector(redis.url);
    const log = await redisStreamsLog({ connector, version: 1, partitions, clock });
    const store = redisState({ connector, version: 1, clock });
    const shared = connector.connect('inbox');
    shared.on('error', () => undefined);
    const rig = await makeRig({ store, log, clock, inbox: redisInbox(shared) });
    const tabs = [rig.connect(visitor('v1')), rig.connect(visitor('v1'))];
    const published: string[] = [];
    const shown: string[] = [];
    const reported = new Set<string>();

    const publish = async () => {
      const id = `d${published.length}`;
      const record = { ...decisionOf(subject, clock.now()), id };
      const { action, offer, mode } = record;
      const choices = [{ action: action ?? '', caps: [], offer, mode }];
      const payload = JSON.stringify({ record: { ...record, offer: null, action: null }, choices });
      const request = { idempotencyKey: id, tenant: 'shop', subject, payload, choices, keepMs: 60_000 };
      await until(async () => void (await store.request(partition, request)));
      published.push(id);
    };
    const show = async (tab: Browser, name: string) => {
      for (const decision of new Set(tab.ids())) {
        if (!shown.includes(decision)) {
          const claim = await tab.ask('claim', { decision, tab: name }).catch(() => null);
          if (claim?.granted !== true) continue;
          shown.push(decision);
        }
        if (!reported.has(decision) && (await tab.ask('shown', { decision }).catch(() => null))?.ok === true)
          reported.add(decision);
      }
    };

    try {
      for (let round = 0; round < 12; round++) {
        await publish();
        if (round % 4 === 1) {
          await redis.kill();
          await redis.restart();
        } else if (round % 4 === 3) await rig.restart();
        await publish();
        await until(async () => {
          await Promise.all(tabs.map((tab, name) => show(tab, `tab ${name}`)));
          expect([...reported].sort()).toEqual([...published].sort());
        });
      }
      expect([...shown].sort()).toEqual([...published].sort());
      const exposed = (await read(log)).filter(({ type }) => type === '$exposure');
      expect(new Set(exposed.map(({ properties }) => properties.decision))).toEqual(new Set(published));
      expect(new Set(exposed.map(({ id }) => id)).size).toBe(published.length);
    } finally {
      await rig.close();
      shared.disconnect();
      await store.close();
      await log.close();
    }
  });
});

async function read(log: EventLog): Promise<StoredEvent[]> {
  const { start, end } = await log.range(partition);
  const events: StoredEvent[] = [];
  const subscription = await log.subscribe({
    group: 'test',
    partitions: [partition],
    startAt: async () => start,
    onAssigned: async (reader) => {
      while (events.length < end - start)
        for (const { value } of await reader.next(100, 100))
          events.push(JSON.parse(value.toString()) as StoredEvent);
    },
    onRevoked: () => undefined,
  });
  await until(() => expect(events.length).toBe(end - start));
  await subscription.stop();
  return events;
}
