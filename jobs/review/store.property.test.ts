import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../schemas/index.ts';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import type { Claim, ClaimResult, PutResult, ReviewStore } from './port.ts';
import { makePublisher } from './publish.ts';
import { claimBy, reviewItem, start } from './review.fixture.ts';
import { redisReviewStore } from './store.ts';

const limits = { waiting: 4, waitingPerTenant: 3 };
const tenants = ['shop', 'shop', 'shop', 'shop', 'other', 'other'] as const;
const escalateMs = 60;
const withinMs = 200;

/** What the queue is, in the plainest terms: an item has a verdict or waits, and the first verdict is the verdict. */
class Reference {
  readonly items = new Map<
    string,
    { tenant: string; escalatesAt: number; expiresAt: number; escalated: boolean; claim: Claim | null }
  >();
  readonly unpublished: string[] = [];

  waiting(tenant: string | null): string[] {
    return [...this.items]
      .filter(([, item]) => item.claim === null && (tenant === null || item.tenant === tenant))
      .sort(([a, left], [b, right]) => left.expiresAt - right.expiresAt || (a < b ? -1 : 1))
      .map(([id]) => id);
  }
  put(id: string, tenant: string, decidedAt: number, now: number): PutResult {
    const known = this.items.get(id);
    if (known !== undefined) return known.claim === null ? 'waiting' : 'decided';
    if (decidedAt + withinMs <= now) return 'expired';
    if (this.waiting(null).length >= limits.waiting) return 'full';
    if (this.waiting(tenant).length >= limits.waitingPerTenant) return 'full';
    this.items.set(id, {
      tenant,
      escalatesAt: decidedAt + escalateMs,
      expiresAt: decidedAt + withinMs,
      escalated: false,
      claim: null,
    });
    return 'queued';
  }
  claim(id: string, claim: Claim): ClaimResult {
    const item = this.items.get(id);
    if (item === undefined) return { kind: 'unknown' };
    if (item.claim !== null) return { kind: 'taken', claim: item.claim };
    const isOver = claim.at >= item.expiresAt;
    if (claim.verdict === 'expired' && !isOver) return { kind: 'early' };
    if (claim.verdict !== 'expired' && isOver) return { kind: 'expired' };
    item.claim = claim;
    this.unpublished.push(id);
    return { kind: 'won' };
  }
  escalate(id: string, now: number): boolean {
    const item = this.items.get(id);
    if (item === undefined || item.claim !== null || item.escalated || now < item.escalatesAt) return false;
    item.escalated = true;
    return true;
  }
  published(id: string): void {
    const at = this.unpublished.indexOf(id);
    if (at >= 0) this.unpublished.splice(at, 1);
  }
}

type Act =
  | { readonly do: 'put' | 'escalate' | 'expire'; readonly item: number }
  | { readonly do: 'publish'; readonly item: number; readonly dies: 'before' | 'after' | 'never' }
  | {
      readonly do: 'say';
      readonly item: number;
      readonly verdict: 'approved' | 'edited' | 'rejected';
      readonly by: number;
    }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'reconnect' };

/** Publishes as the role does; `dies`: before or after the log has it, and before that is noted. */
function publishing(store: ReviewStore, log: StoredEvent[], dies: 'before' | 'after' | 'never') {
  const crash = async (): Promise<never> => {
    throw new Error('It died here.');
  };
  return makePublisher(dies === 'after' ? { ...store, published: crash } : store, {
    partitions: 4,
    append: async (records) => {
      if (dies === 'before') return crash();
      for (const { value } of records) log.push(JSON.parse(Buffer.from(value).toString()) as StoredEvent);
      return records.map(() => 0);
    },
  });
}

const item = fc.nat({ max: tenants.length - 1 });
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('put' as const), item }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('say' as const),
      item,
      verdict: fc.constantFrom('approved' as const, 'edited' as const, 'rejected' as const),
      by: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('escalate' as const, 'expire' as const),
      item,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      item,
      dies: fc.constantFrom('before' as const, 'after' as const, 'never' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat({ max: 90 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reconnect' as const }) },
);

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

const connect = (): Redis => {
  const redis = new Redis(server.url, { db: 1 });
  redis.on('error', () => {});
  return redis;
};

describe('the review queue', () => {
  it('gives each item one verdict, the first, whatever comes in whatever order', async () => {
    let redis = connect();
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(act, { minLength: 10, maxLength: 60 }), async (acts) => {
          await redis.flushdb();
          const reference = new Reference();
          let store: ReviewStore = redisReviewStore(redis, limits);
          const decidedAt = new Map<string, number>();
          const log: StoredEvent[] = [];
          let now = start;
          for (const each of acts) {
            if (each.do === 'pass') {
              now += each.ms;
              continue;
            }
            if (each.do === 'reconnect') {
              // A process that was killed: all that another one knows is in Redis.
              redis.disconnect();
              redis = connect();
              store = redisReviewStore(redis, limits);
              continue;
            }
            const id = `d${each.item}`;
            const tenant = tenants[each.item] ?? 'shop';
            switch (each.do) {
              case 'put': {
                const at = decidedAt.get(id) ?? now;
                decidedAt.set(id, at);
                const summary = { tenant, escalatesAt: at + escalateMs, expiresAt: at + withinMs };
                expect(await store.put(reviewItem(id, summary), now)).toBe(
                  reference.put(id, tenant, at, now),
                );
                break;
              }
              case 'say': {
                const claim = claimBy(`reviewer ${each.by}`, now, each.verdict);
                expect(await store.claim(id, claim)).toEqual(reference.claim(id, claim));
                break;
              }
              case 'expire': {
                const claim = claimBy('deadline', now, 'expired');
                expect(await store.claim(id, claim)).toEqual(reference.claim(id, claim));
                break;
              }
              case 'escalate':
                expect(await store.escalate(id, now)).toBe(reference.escalate(id, now));
                break;
              case 'publish': {
                await publishing(store, log, each.dies)(id).catch(() => {});
                if (each.dies === 'never') reference.published(id);
                break;
              }
            }
          }
          expect([...(await store.unpublished(100))].sort()).toEqual([...reference.unpublished].sort());
          for (const tenant of [null, 'shop', 'other']) {
            const waiting = await store.waiting(tenant, 100);
            expect(waiting.map(({ summary }) => summary.id)).toEqual(reference.waiting(tenant));
            expect(await store.count(tenant)).toBe(waiting.length);
            for (const { summary, isEscalated } of waiting)
              expect(isEscalated).toBe(reference.items.get(summary.id)?.escalated);
          }
          for (const id of await store.unpublished(100)) await publishing(store, log, 'never')(id);
          const verdicts = new Map(
            [...reference.items].flatMap(([id, { claim }]) => (claim === null ? [] : [[id, claim.verdict]])),
          );
          // At least once, and however often, the same under the same id; so the stream counts each once.
          const byId = new Map(log.map((event) => [event.id, event.properties]));
          expect(new Map([...byId.values()].map(({ decision, verdict }) => [decision, verdict]))).toEqual(
            verdicts,
          );
          expect(byId.size).toBe(verdicts.size);
          for (const { id, properties } of log) expect(properties).toEqual(byId.get(id));
          for (const [id, { claim }] of reference.items) {
            const found = await store.find(id);
            expect(found?.claim ?? null).toEqual(claim);
            expect(found?.record === null).toBe(claim !== null);
          }
        }),
        { numRuns: 60 },
      );
    } finally {
      redis.disconnect();
    }
  });

  it('lets one of many reviewers win who speak at once, and tells the others who did', async () => {
    const connections = Array.from({ length: 6 }, connect);
    try {
      await connections[0]?.flushdb();
      const now = Date.now();
      const stores = connections.map((redis) => redisReviewStore(redis));
      for (let round = 0; round < 30; round++) {
        const id = `race-${round}`;
        await stores[0]?.put(reviewItem(id, { escalatesAt: now + 1, expiresAt: now + 60_000 }), now);
        const results = await Promise.all(
          stores.map((store, index) => store.claim(id, claimBy(`reviewer ${index}`, now))),
        );
        const winner = results.findIndex(({ kind }) => kind === 'won');
        expect(results.filter(({ kind }) => kind === 'won')).toHaveLength(1);
        for (const [index, result] of results.entries()) {
          if (index !== winner)
            expect(result).toEqual({ kind: 'taken', claim: claimBy(`reviewer ${winner}`, now) });
        }
      }
    } finally {
      for (const redis of connections) redis.disconnect();
    }
  });

  it('keeps what waits and what was said when Redis is killed', async () => {
    const redis = connect();
    try {
      await redis.flushdb();
      const now = Date.now();
      const store = redisReviewStore(redis);
      const times = { escalatesAt: now + 60_000, expiresAt: now + 600_000 };
      for (const id of ['waits', 'said', 'done']) await store.put(reviewItem(id, times), now);
      await store.escalate('waits', now + 60_000);
      for (const id of ['said', 'done']) await store.claim(id, claimBy('ann', now));
      await store.published('done');
      await server.kill();
      await server.restart();
      expect(await store.unpublished(10)).toEqual(['said']);
      const [waits] = await store.waiting('shop', 10);
      expect(waits).toMatchObject({ summary: { id: 'waits' }, isEscalated: true });
      expect(await store.put(reviewItem('done', times), now)).toBe('decided');
      expect((await store.find('done'))?.claim).toEqual(claimBy('ann', now));
      expect((await store.decided('shop', 10)).map(({ id }) => id)).toEqual(['done']);
    } finally {
      redis.disconnect();
    }
  });

  it('shortens the explanation of a decision that is too large, and keeps what is to be executed', async () => {
    const redis = connect();
    try {
      await redis.flushdb();
      const store = redisReviewStore(redis);
      const item = reviewItem('large', { expiresAt: Date.now() + 60_000 });
      const features = Object.fromEntries(
        Array.from({ length: 500 }, (_, index) => [`feature_${index}`, 'x'.repeat(200)]),
      );
      await store.put({ ...item, record: { ...item.record, features } }, Date.now());
      const record = (await store.find('large'))?.record;
      expect(record?.features).toEqual({ left_out: 'The record was too large with it.' });
      expect(record).toMatchObject({
        action: 'refund',
        offer: item.record.offer,
        review: item.record.review,
      });
    } finally {
      redis.disconnect();
    }
  });
});
