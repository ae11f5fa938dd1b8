import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CapTake, Choice } from '../../schemas/index.ts';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { redisConnector } from '../redis/index.ts';
import { noCaps, resolveChoices } from './caps.ts';
import { memoryState, redisState, type StateStore } from './index.ts';
import { choice, commit, decision, request } from './state.contract.ts';

const clock = { now: () => 0, monotonic: () => performance.now() };

// Few names and small times, so that takes meet; enough of both, so that some are forgotten.
const time = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 5_000 }));
const windowTake = fc.record({
  cap: fc.oneof(
    fc.constantFrom('a', 'b', 'ü"\\'),
    fc.integer({ min: 0, max: 70 }).map((n) => `cap ${n}`),
  ),
  session: fc.constant(null),
  limit: fc.integer({ min: 0, max: 3 }),
  windowMs: fc.integer({ min: 1, max: 30 }),
  at: time,
});
const sessionTake = fc.record({
  cap: fc.constantFrom('a', 'b'),
  session: fc.integer({ min: 0, max: 24 }).map((n) => `session ${n}`),
  limit: fc.integer({ min: 0, max: 3 }),
  windowMs: fc.constant(null),
  at: time,
});
const choices: fc.Arbitrary<Choice[]> = fc.array(
  fc
    .array(fc.oneof(windowTake, sessionTake), { maxLength: 3 })
    .map((takes) => choice('action', takes as CapTake[])),
  { maxLength: 3 },
);
const subject = fc.constantFrom('u:1', 'a:2');
const step = fc.oneof(
  fc.record({
    kind: fc.constant('commit' as const),
    drafts: fc.array(fc.record({ subject, choices }), { maxLength: 6 }),
  }),
  fc.record({ kind: fc.constant('request' as const), key: fc.integer({ min: 0, max: 9 }), subject, choices }),
  fc.record({
    kind: fc.constant('ask' as const),
    subject,
    takes: fc.array(fc.oneof(windowTake, sessionTake), { maxLength: 4 }),
  }),
);

describe('caps', () => {
  let server: TestRedis;
  let admin: Redis;
  beforeAll(async () => {
    server = await startTestRedis({ fsync: 'everysec' });
    admin = new Redis(server.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });

  it('are the same in Redis and in memory, whatever is asked of them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
        await admin.flushall();
        const redis = redisState({ connector: redisConnector(server.url), version: 1, clock });
        const memory = memoryState({ clock });
        try {
          expect(await answers(redis, steps)).toEqual(await answers(memory, steps));
        } finally {
          await redis.close();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are never exceeded: no window of any length of time holds more takes than the limit', () => {
    const limits: Record<string, [limit: number, windowMs: number]> = { a: [1, 10], b: [2, 25], c: [3, 7] };
    const take = fc.record({ cap: fc.constantFrom('a', 'b', 'c'), at: time });
    fc.assert(
      fc.property(fc.array(take, { maxLength: 300 }), (takes) => {
        const caps = noCaps();
        const taken: Record<string, number[]> = { a: [], b: [], c: [] };
        for (const { cap, at } of takes) {
          const [limit, windowMs] = limits[cap]!;
          const { chosen } = resolveChoices(caps, [
            choice('x', [{ cap, session: null, limit, windowMs, at }]),
          ]);
          if (chosen === 0) taken[cap]!.push(at);
        }
        for (const [cap, times] of Object.entries(taken)) {
          const [limit, windowMs] = limits[cap]!;
          times.sort((x, y) => x - y);
          times.forEach((at, i) => {
            const afterLimit = times[i + limit];
            if (afterLimit !== undefined) expect(afterLimit - at).toBeGreaterThanOrEqual(windowMs);
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('stay small: what is kept of a subject is bounded by the limits, not by how much happened', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(windowTake, sessionTake), { minLength: 500, maxLength: 1_500 }),
        (takes) => {
          const caps = noCaps();
          let now = 0;
          for (const take of takes as CapTake[]) {
            now += 40;
            resolveChoices(caps, [choice('x', [{ ...take, at: now }])]);
          }
          expect(caps.sessions.size).toBeLessThanOrEqual(16);
          expect(caps.windows.size).toBeLessThanOrEqual(48);
          for (const { times } of caps.windows.values()) expect(times.length).toBeLessThanOrEqual(6);
        },
      ),
      { numRuns: 20 },
    );
  });
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function answers(store: StateStore, steps: readonly Step[]): Promise<unknown[]> {
  const given: unknown[] = [];
  let commits = 0;
  for (const one of steps) {
    if (one.kind === 'commit') {
      const outbox = one.drafts.map((draft) => decision(draft.choices, draft.subject));
      const previous = commits === 0 ? '' : `c${commits}`;
      commits += 1;
      given.push(await store.commit(0, commit(previous, `c${commits}`, { outbox })));
    } else if (one.kind === 'request') {
      given.push(await store.request(0, { ...request(`r${one.key}`, one.choices), subject: one.subject }));
    } else {
      given.push(await store.capsUsed(0, 'acme', one.subject, one.takes as CapTake[]));
    }
  }
  given.push(await store.readOutbox(0, 0, 1_000, 0), await store.head(0));
  return given;
}
