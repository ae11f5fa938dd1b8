import type { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Clock, PresageError } from '../../core/index.ts';
import type { DecisionRecord, StoredEvent } from '../../schemas/index.ts';
import { memoryLog } from '../../stream/log/index.ts';
import { redisConnector } from '../../stream/redis/index.ts';
import { memoryState } from '../../stream/state/index.ts';
import { patienceMs } from '../../tests/support/patience.ts';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { silentLogger } from '../../tests/support/silence.ts';
import { patient } from '../deadlines.ts';
import { start, waitingDecision } from './review.fixture.ts';
import { makeReviews, type Reviews } from './role.ts';
import { redisReviewStore } from './store.ts';

let server: TestRedis;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(() => server.stop());

const connect = (purpose: string): Redis => {
  const redis = redisConnector(server.url).connect(purpose, { db: 1, ...patient });
  redis.on('error', () => {});
  return redis;
};

beforeEach(async () => {
  const redis = connect('clean');
  await redis.flushdb();
  redis.disconnect();
});

/** A clock that runs with the real one, beginning where the decisions do, and can be set ahead. */
function runningClock(): Clock & { ahead(ms: number): void } {
  let offset = start - Date.now();
  return {
    now: () => Date.now() + offset,
    monotonic: () => performance.now(),
    ahead: (ms) => {
      offset += ms;
    },
  };
}

/** The role over what one partition published, and a log that can be away. */
async function rig() {
  const clock = runningClock();
  const state = memoryState({ clock });
  const log = memoryLog({ partitions: 4, clock });
  // As in the product: what it can't send fails at once.
  const redis = redisConnector(server.url).connect('reviews', { db: 1 });
  redis.on('error', () => {});
  await new Promise((ready) => redis.once('ready', ready));
  let isAway = false;
  let published = 0;
  const events: StoredEvent[] = [];

  const make = (): Reviews =>
    makeReviews({
      store: redisReviewStore(redis),
      connect,
      outbox: state,
      clock,
      logger: silentLogger(),
      registry: new Registry(),
      retryMs: 20,
      log: {
        partitions: 4,
        append: async (records, isWayOut) => {
          if (isAway) throw new PresageError('log_unavailable', 'The log is away.', { retriable: true });
          for (const { value } of records) events.push(JSON.parse(Buffer.from(value).toString()));
          return log.append(records, isWayOut);
        },
      },
    });
  let role = make();
  await role.start();

  return {
    clock,
    events,
    get desk() {
      return role.desk;
    },
    health: () => role.health(),
    away: (is: boolean) => {
      isAway = is;
    },
    async publish(...records: DecisionRecord[]) {
      const head = await state.head(0);
      published += 1;
      await state.commit(0, {
        previous: head.commitId,
        id: `c${published}`,
        position: head.position + 1,
        blobs: [],
        partitionState: null,
        outbox: records.map((record) => ({
          kind: 'decision' as const,
          tenant: record.tenant,
          subject: record.subject,
          payload: JSON.stringify({ record, choices: [choiceOf(record)] }),
          choices: [choiceOf(record)],
        })),
      });
    },
    waiting: async (tenant: string | null = null) =>
      (await role.desk.list(tenant, 50)).waiting.map(({ id }) => id),
    /** Another process in its place, which knows only what is stored. */
    async restart(positions: 'kept' | 'lost' = 'kept') {
      await role.stop();
      if (positions === 'lost') await state.saveReaderState(0, 'review', JSON.stringify({ position: 0 }));
      role = make();
      await role.start();
    },
    async end() {
      await role.stop();
      redis.disconnect();
    },
  };
}

const choiceOf = ({ action, mode, offer, review }: DecisionRecord) => ({
  action: action ?? '',
  caps: [],
  mode,
  offer,
  ...(review === undefined ? {} : { review }),
});

const eventually = (check: () => void | Promise<void>) => vi.waitFor(check, patienceMs);

describe('the review role', () => {
  it('takes what waits into the queue, and writes what a person says of it to the log', async () => {
    const it = await rig();
    try {
      await it.publish(
        waitingDecision('d1'),
        waitingDecision('other', { tenant: 'other' }),
        waitingDecision('passed', { mode: 'act', review: { ...review, reason: null, probability: 0.02 } }),
      );
      await eventually(async () => expect(await it.waiting()).toEqual(['d1', 'other']));
      expect(await it.waiting('shop')).toEqual(['d1']);
      const detail = await it.desk.one('shop', 'd1');
      expect(detail.decision?.offer?.content).toEqual({ title: 'Money back' });
      expect(detail.decided).toBeNull();

      const said = await it.desk.say(
        'shop',
        'd1',
        { verdict: 'edit', content: { title: 'Half of it' }, reviewer: 'Ann', note: 'too much' },
        'operator',
      );
      expect(said).toMatchObject({ verdict: 'edited', by: 'operator', reviewer: 'Ann', isPublished: true });
      expect(it.events).toHaveLength(1);
      expect(it.events[0]).toMatchObject({
        type: '$review',
        tenant: 'shop',
        userId: 'ann',
        source: 'engine',
        properties: {
          decision: 'd1',
          action: 'refund',
          verdict: 'edited',
          reason: 'gate',
          probability: 1,
          reviewer: 'Ann',
          note: 'too much',
          release: { content: { title: 'Half of it' }, expiresAt: said.at + 60_000 },
        },
      });
      expect(await it.waiting()).toEqual(['other']);
      expect((await it.desk.list('shop', 10)).decided).toMatchObject([{ id: 'd1', decided: said }]);
      expect((await it.desk.one('shop', 'd1')).decision).toBeNull();
    } finally {
      await it.end();
    }
  });

  it('lets nobody approve twice, and shows a tenant nothing of another', async () => {
    const it = await rig();
    try {
      await it.publish(waitingDecision('d1'));
      await eventually(async () => expect(await it.waiting()).toEqual(['d1']));
      await expect(it.desk.say('other', 'd1', { verdict: 'approve' }, 'x')).rejects.toMatchObject({
        code: 'unknown_review',
      });
      const all = await Promise.allSettled(
        ['ann', 'bob', 'cid'].map((by) => it.desk.say('shop', 'd1', { verdict: 'approve' }, by)),
      );
      const won = all.filter(({ status }) => status === 'fulfilled');
      expect(won).toHaveLength(1);
      const winner = (won[0] as PromiseFulfilledResult<{ by: string }>).value.by;
      for (const result of all) {
        if (result.status === 'rejected')
          expect(result.reason).toMatchObject({
            code: 'already_reviewed',
            message: expect.stringContaining(`was approved by ${winner}`),
          });
      }
      await expect(it.desk.say('shop', 'd1', { verdict: 'reject' }, winner)).rejects.toMatchObject({
        code: 'already_reviewed',
      });
      expect(it.events).toHaveLength(1);
    } finally {
      await it.end();
    }
  });

  it('marks what waits for long, and ends what nobody looked at: it can not be approved any more', async () => {
    const it = await rig();
    try {
      const now = it.clock.now();
      const soon = { ...review, escalatesAt: now + 50, expiresAt: now + 6_000 };
      await it.publish(waitingDecision('d1', { review: soon }));
      await eventually(async () => expect((await it.desk.one(null, 'd1')).isEscalated).toBe(true));
      await eventually(() => expect(it.events).toHaveLength(1));
      expect(it.events[0]?.properties).toMatchObject({
        verdict: 'expired',
        by: 'deadline',
        escalated: true,
      });
      expect(it.events[0]?.properties).not.toHaveProperty('release');
      await expect(it.desk.say(null, 'd1', { verdict: 'approve' }, 'late')).rejects.toMatchObject({
        code: 'already_reviewed',
        message: expect.stringContaining('expired unreviewed'),
      });
    } finally {
      await it.end();
    }
  });

  it('approves nothing whose time is over, before anything has noticed', async () => {
    const it = await rig();
    try {
      await it.publish(waitingDecision('d1'));
      await eventually(async () => expect(await it.waiting()).toEqual(['d1']));
      it.clock.ahead(600_000);
      await expect(it.desk.say(null, 'd1', { verdict: 'approve' }, 'late')).rejects.toMatchObject({
        code: 'review_expired',
      });
      expect(await it.waiting()).toEqual([]);
      expect(it.events).toEqual([]);
    } finally {
      await it.end();
    }
  });

  it('keeps a verdict that the log did not take, and writes it once the log is back', async () => {
    const it = await rig();
    try {
      await it.publish(waitingDecision('d1'), waitingDecision('d2'));
      await eventually(async () => expect(await it.waiting()).toEqual(['d1', 'd2']));
      it.away(true);
      const said = await it.desk.say(null, 'd1', { verdict: 'approve' }, 'ann');
      expect(said.isPublished).toBe(false);
      await eventually(() => expect(it.health().state).toBe('degraded'));
      await it.restart();
      expect((await it.desk.one(null, 'd1')).decided).toMatchObject({ by: 'ann', isPublished: false });
      expect(it.events).toEqual([]);
      it.away(false);
      await eventually(() => expect(it.events).toHaveLength(1));
      await eventually(() => expect(it.health().state).toBe('ok'));
      expect(it.events[0]?.properties).toMatchObject({ decision: 'd1', verdict: 'approved', by: 'ann' });
    } finally {
      await it.end();
    }
  });

  it('keeps the queue over a restart, and takes nothing twice that it reads again', async () => {
    const it = await rig();
    try {
      await it.publish(waitingDecision('d1'), waitingDecision('d2'));
      await eventually(async () => expect(await it.waiting()).toEqual(['d1', 'd2']));
      await it.desk.say(null, 'd1', { verdict: 'reject' }, 'ann');
      await it.restart('lost');
      await it.publish(waitingDecision('d3'));
      await eventually(async () => expect(await it.waiting()).toEqual(['d2', 'd3']));
      expect(it.events).toHaveLength(1);
    } finally {
      await it.end();
    }
  });

  it('goes on by itself when Redis was killed: what waits still waits, and deadlines are met', async () => {
    const it = await rig();
    try {
      const now = it.clock.now();
      const soon = { ...review, escalatesAt: now + 5_000, expiresAt: now + 6_000 };
      await it.publish(waitingDecision('soon', { review: soon }), waitingDecision('d1'));
      await eventually(async () => expect(await it.waiting()).toEqual(['soon', 'd1']));
      await server.kill();
      // Read from the outbox while the queue is away.
      await it.publish(waitingDecision('d2'));
      await eventually(() => expect(it.health().state).toBe('degraded'));
      await server.restart();
      await eventually(async () => expect(await it.waiting()).toEqual(['d1', 'd2']));
      await eventually(() => expect(it.events).toHaveLength(1));
      expect(it.events[0]?.properties).toMatchObject({ decision: 'soon', verdict: 'expired' });
      await it.desk.say(null, 'd2', { verdict: 'approve' }, 'ann');
      await eventually(() => expect(it.health()).toEqual({ state: 'ok' }));
    } finally {
      await it.end();
    }
  });

  it('ends though Redis is gone, and what it had is there again', async () => {
    const it = await rig();
    await it.publish(waitingDecision('d1'));
    await eventually(async () => expect(await it.waiting()).toEqual(['d1']));
    await server.kill();
    try {
      await it.publish(waitingDecision('d2'));
      await eventually(() => expect(it.health().state).toBe('degraded'));
      await it.end();
    } finally {
      await server.restart();
    }
    const redis = connect('look');
    expect((await redisReviewStore(redis).waiting(null, 10)).map(({ summary }) => summary.id)).toEqual([
      'd1',
    ]);
    redis.disconnect();
  });

  it('meets a deadline that came while nothing ran', async () => {
    const it = await rig();
    try {
      const now = it.clock.now();
      const soon = { ...review, escalatesAt: now + 5_900, expiresAt: now + 6_000 };
      await it.publish(waitingDecision('d1', { review: soon }));
      await eventually(async () => expect(await it.waiting()).toEqual(['d1']));
      await it.restart();
      await eventually(() => expect(it.events).toHaveLength(1));
      expect(it.events[0]?.properties).toMatchObject({ verdict: 'expired' });
    } finally {
      await it.end();
    }
  });
});

const review = {
  reason: 'gate',
  probability: 1,
  confidence: null,
  threshold: 0.85,
  escalatesAt: start + 60_000,
  expiresAt: start + 600_000,
} as const;
