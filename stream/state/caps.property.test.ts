import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CapTake, Choice } from '../../schemas/index.ts';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { redisConnector } from '../redis/index.ts';
import {
  capUsed,
  markCap,
  noCaps,
  packCaps,
  resolveChoices,
  type SubjectCaps,
  unionCaps,
  unpackCaps,
} from './caps.ts';
import { type Commit, memoryState, type OutboxItem, redisState, type StateStore } from './index.ts';
import { choice, commit, decision, request } from './state.contract.ts';

/** Leases are asked for again after some time: the same time for both stores. */
const steppedClock = () => {
  let time = 0;
  return {
    now: () => 0,
    monotonic: () => time,
    pass: (ms: number) => {
      time += ms;
    },
  };
};

interface World {
  readonly caps: fc.Arbitrary<string>;
  readonly sessions: fc.Arbitrary<string>;
  readonly windowMs: fc.Arbitrary<number>;
  readonly time: fc.Arbitrary<number>;
}
const named = (name: string, count: number): fc.Arbitrary<string> =>
  fc.integer({ min: 1, max: count }).map((n) => `${name} ${n} ü"\\`);

/** Each world makes another rule meet often: few names and times collide, many are forgotten. */
const worlds: Record<string, World> = {
  'few caps and times': {
    caps: named('cap', 2),
    sessions: named('session', 2),
    windowMs: fc.constantFrom(5, 10),
    time: fc.integer({ min: 0, max: 40 }),
  },
  'times far apart': {
    caps: named('cap', 2),
    sessions: named('session', 3),
    windowMs: fc.integer({ min: 1, max: 100 }),
    time: fc.integer({ min: 0, max: 1e6 }).map((n) => (n < 5e5 ? n % 500 : n)),
  },
  'more sessions than are kept': {
    caps: named('cap', 2),
    sessions: named('session', 22),
    windowMs: fc.constant(10),
    time: fc.integer({ min: 0, max: 60 }),
  },
  'more caps than are kept': {
    caps: named('cap', 70),
    sessions: named('session', 2),
    windowMs: fc.constantFrom(1, 5),
    time: fc.integer({ min: 0, max: 200 }),
  },
};

const windowTakeIn = (world: World): fc.Arbitrary<CapTake> =>
  fc.record({
    cap: world.caps,
    session: fc.constant(null),
    limit: fc.integer({ min: 0, max: 3 }),
    windowMs: world.windowMs,
    at: world.time,
  });
const marks = named('!group/name', 4).map((cap) =>
  cap.replace('group', cap.length % 2 === 0 ? 'one' : 'two'),
);
const markTakeIn = (world: World): fc.Arbitrary<CapTake> =>
  fc.oneof(
    fc.record({
      cap: marks,
      session: fc.constant(null),
      limit: fc.constant(1),
      windowMs: world.windowMs,
      at: world.time,
      role: fc.constantFrom('exclude' as const, 'after' as const),
    }),
    fc.record({
      cap: marks,
      session: world.sessions,
      limit: fc.constant(1),
      windowMs: fc.constant(null),
      at: world.time,
      role: fc.constant('exclude' as const),
    }),
  );
const leasedTakeIn = (world: World): fc.Arbitrary<CapTake> =>
  fc.record({
    cap: named('budget', 3),
    session: fc.constant(null),
    limit: fc.integer({ min: 0, max: 6 }),
    windowMs: fc.constant(1_000),
    at: world.time,
    lease: fc.record({ bucket: fc.integer({ min: 0, max: 70 }), spans: fc.constantFrom(0, 0, 2) }),
  });
const takeIn = (world: World): fc.Arbitrary<CapTake> =>
  fc.oneof(
    windowTakeIn(world),
    markTakeIn(world),
    fc.record({
      cap: world.caps,
      session: world.sessions,
      limit: fc.integer({ min: 0, max: 3 }),
      windowMs: fc.constant(null),
      at: world.time,
    }),
  );
const choicesIn = (world: World): fc.Arbitrary<Choice[]> =>
  fc.array(
    fc
      .array(fc.oneof({ weight: 4, arbitrary: takeIn(world) }, leasedTakeIn(world)), {
        minLength: 1,
        maxLength: 3,
      })
      .map((takes) => choice('action', takes)),
    { minLength: 1, maxLength: 5 },
  );

// One subject mostly: what is forgotten is forgotten for each subject.
const subject = fc.constantFrom('u:1', 'u:1', 'u:1', 'a:2');
type Step =
  | { kind: 'commit'; drafts: { subject: string; choices: Choice[]; slots: number }[] }
  | { kind: 'request'; partition: number; key: number; subject: string; choices: Choice[]; slots: number }
  | { kind: 'ask'; subject: string; takes: CapTake[] }
  | { kind: 'mark'; subject: string; cap: string; windowMs: number; at: number }
  | { kind: 'move'; from: string; to: string }
  | { kind: 'expire'; subject: string; at: number; ttlMs: number };
const slots = fc.integer({ min: 1, max: 4 });
const stepIn = (world: World): fc.Arbitrary<Step> =>
  fc.oneof(
    fc.record({
      kind: fc.constant('commit' as const),
      drafts: fc.array(fc.record({ subject, choices: choicesIn(world), slots }), { maxLength: 10 }),
    }),
    fc.record({
      kind: fc.constant('request' as const),
      partition: fc.integer({ min: 0, max: 2 }),
      key: fc.integer({ min: 0, max: 99 }),
      subject,
      choices: choicesIn(world),
      slots,
    }),
    fc.record({
      kind: fc.constant('mark' as const),
      subject,
      cap: marks,
      windowMs: world.windowMs,
      at: world.time,
    }),
    fc.record({ kind: fc.constant('move' as const), from: subject, to: subject }),
    fc.record({
      kind: fc.constant('expire' as const),
      subject,
      at: world.time,
      ttlMs: fc.integer({ min: 0, max: 30 }),
    }),
    fc.record({
      kind: fc.constant('ask' as const),
      subject,
      takes: fc.array(takeIn(world), { maxLength: 4 }),
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

  it.each(Object.entries(worlds))('are the same in Redis and in memory: %s', async (_name, world) => {
    const steps = fc.array(stepIn(world), { minLength: 20, maxLength: 80, size: 'max' });
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        await admin.flushall();
        const clocks = [steppedClock(), steppedClock()] as const;
        const redis = redisState({ connector: redisConnector(server.url), version: 1, clock: clocks[0] });
        const memory = memoryState({ clock: clocks[1] });
        try {
          expect(await answers(redis, sequence, clocks[0])).toEqual(
            await answers(memory, sequence, clocks[1]),
          );
        } finally {
          await redis.close();
        }
      }),
      { numRuns: 30 },
    );
  });

  it.each(Object.entries(worlds))('give no more room when two subjects become one: %s', (_name, world) => {
    const history = fc.array(takeIn(world), { maxLength: 60, size: 'max' });
    const taken = (takes: readonly CapTake[]): SubjectCaps => {
      const caps = noCaps();
      for (const take of takes) resolveChoices(caps, [choice('x', [take])]);
      return caps;
    };
    fc.assert(
      fc.property(history, history, fc.array(takeIn(world)), (left, right, asked) => {
        const [a, b] = [taken(left), taken(right)];
        const both = unpackCaps(packCaps(a));
        unionCaps(both, unpackCaps(packCaps(b)));
        for (const take of [...left, ...right, ...asked]) {
          // A session that had to be forgotten to stay small is new again after its newest take, as without a union.
          const { session } = take;
          if (session !== null && !both.sessions.has(session) && take.at > both.sessionFloor) continue;
          const before = Math.min(take.limit, capUsed(a, take) + capUsed(b, take));
          expect(capUsed(both, take)).toBeGreaterThanOrEqual(before);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are never exceeded: no window of any length of time holds more takes than the limit', () => {
    const limits: Record<string, [limit: number, windowMs: number]> = { a: [1, 10], b: [2, 25], c: [3, 7] };
    const take = fc.record({ cap: fc.constantFrom('a', 'b', 'c'), at: fc.integer({ min: 0, max: 200 }) });
    fc.assert(
      fc.property(fc.array(take, { maxLength: 300, size: 'max' }), (takes) => {
        const caps = noCaps();
        const taken: Record<string, number[]> = { a: [], b: [], c: [] };
        for (const { cap, at } of takes) {
          const [limit, windowMs] = limits[cap]!;
          const { slots } = resolveChoices(caps, [
            choice('x', [{ cap, session: null, limit, windowMs, at }]),
          ]);
          if (slots[0]?.chosen === 0) taken[cap]!.push(at);
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

  it('exclude each other over their window, and give no room for a window after a dismissal', () => {
    const windowMs = 20;
    const at = fc.integer({ min: 0, max: 300 });
    const take = fc.record({
      kind: fc.constantFrom('exclude', 'exclude', 'dismissed'),
      name: fc.constantFrom('a', 'b', 'c'),
      at,
    });
    fc.assert(
      fc.property(fc.array(take, { maxLength: 200, size: 'max' }), (takes) => {
        const caps = noCaps();
        const taken: { name: string; at: number }[] = [];
        const dismissed: { name: string; at: number }[] = [];
        for (const { kind, name, at } of takes) {
          const rest = { session: null, limit: 1, windowMs, at };
          if (kind === 'dismissed') {
            markCap(caps, { cap: `!dismissed/${name}`, windowMs, at });
            dismissed.push({ name, at });
            continue;
          }
          const wanted = choice(name, [
            { ...rest, cap: `!group/${name}`, role: 'exclude' },
            { ...rest, cap: `!dismissed/${name}`, role: 'after' },
          ]);
          const { slots } = resolveChoices(caps, [wanted]);
          const isCooling = dismissed.some(
            (one) => one.name === name && one.at <= at && at < one.at + windowMs,
          );
          const isExcluded = taken.some((one) => one.name !== name && Math.abs(one.at - at) < windowMs);
          if (isCooling || isExcluded) expect(slots[0]?.chosen).toBe(-1);
          if (slots[0]?.chosen === 0) taken.push({ name, at });
        }
        for (const { times } of caps.windows.values()) expect(times.length).toBeLessThanOrEqual(6);
        // What comes in order is never refused for what was forgotten.
        const end = { session: null, limit: 1, windowMs, at: 1_000 };
        expect(capUsed(caps, { ...end, cap: '!group/a', role: 'exclude' })).toBe(0);
        expect(capUsed(caps, { ...end, cap: '!dismissed/a', role: 'after' })).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  const crowded = { ...worlds['more caps than are kept']!, sessions: named('session', 40) };
  it('stay small: what is kept of a subject is bounded by the limits, not by how much happened', () => {
    fc.assert(
      fc.property(fc.array(takeIn(crowded), { minLength: 500, maxLength: 1_500, size: 'max' }), (takes) => {
        const caps = noCaps();
        let now = 0;
        for (const take of takes) {
          now += 40;
          resolveChoices(caps, [choice('x', [{ ...take, at: now }])]);
        }
        expect(caps.sessions.size).toBeLessThanOrEqual(16);
        expect(caps.windows.size).toBeLessThanOrEqual(48);
        for (const { times } of caps.windows.values()) expect(times.length).toBeLessThanOrEqual(6);
      }),
      { numRuns: 20 },
    );
  });
});

/** Packed caps by field, each session's counts by cap: Lua's tables have no order. */
function sorted(packed: string): unknown {
  return Object.entries(JSON.parse(packed) as Record<string, unknown[]>)
    .map(([field, value]) => [field, value.map((part) => JSON.stringify(part)).sort()])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

async function answers(
  store: StateStore,
  steps: readonly Step[],
  clock: ReturnType<typeof steppedClock>,
): Promise<unknown[]> {
  const given: unknown[] = [];
  let commits = 0;
  const next = (outbox: OutboxItem[], timers: Commit['timers'] = []) => {
    const previous = commits === 0 ? '' : `c${commits}`;
    commits += 1;
    return store.commit(0, commit(previous, `c${commits}`, { outbox, timers }));
  };
  for (const one of steps) {
    clock.pass(100);
    if (one.kind === 'move') {
      await next([{ kind: 'transfer', payload: '{}', tenant: 'acme', subject: one.from }]);
      const moved = (await store.readOutbox(0, 0, 1_000, 0)).at(-1)?.caps ?? '';
      given.push(sorted(moved));
      await next([{ kind: 'caps', tenant: 'acme', subject: one.to, caps: moved }]);
      continue;
    }
    if (one.kind === 'mark') {
      given.push(await next([{ ...one, tenant: 'acme' }]));
    } else if (one.kind === 'expire') {
      const { subject, at, ttlMs } = one;
      given.push(
        await next([{ kind: 'expire', tenant: 'acme', subject, at, ttlMs }], [[`acme:${subject}`, at]]),
      );
    } else if (one.kind === 'commit') {
      given.push(
        await next(
          one.drafts.map(({ choices, subject, slots }) => ({ ...decision(choices, subject), slots })),
        ),
      );
    } else if (one.kind === 'request') {
      given.push(
        await store.request(one.partition, {
          ...request(`r${one.key}`, one.choices),
          subject: one.subject,
          slots: one.slots,
        }),
      );
    } else {
      given.push(await store.capsUsed(0, 'acme', one.subject, one.takes));
    }
  }
  const outbox = await store.readOutbox(0, 0, 1_000, 0);
  given.push(
    // A request's mark is of its time, so that no two are ever the same.
    outbox.map(({ caps, mark: _mark, ...entry }) => ({ ...entry, caps: sorted(caps ?? '{}') })),
    await store.head(0),
    await store.earliestTimers(0, 'acme', 100),
  );
  return given;
}
