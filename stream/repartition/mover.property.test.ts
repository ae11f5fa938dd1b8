import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partitionOf } from '../../core/index.ts';
import type { Choice } from '../../schemas/index.ts';
import { redisInbox } from '../../sinks/socketio/index.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { root } from '../../tests/support/program.ts';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { silentLogger } from '../../tests/support/silence.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import type { LogVersion } from '../log/versions.ts';
import { decodePartitionState, emptyPartitionState, encodePartitionState } from '../partition-state.ts';
import { redisConnector } from '../redis/index.ts';
import { sharedGroups, sharedKeyFor, sharedKeys } from '../shared/groups.ts';
import { mergeShared } from '../shared/merge.ts';
import { type Commit, type OutboxItem, redisState, type StateStore } from '../state/index.ts';
import { type Mover, makeMover, type Send } from './index.ts';

let server: TestRedis;
let redis: Redis;
/** Of the log before, of the one to come, and of one with a single partition. */
let store: StateStore;
let next: StateStore;
let single: StateStore;
beforeAll(async () => {
  server = await startTestRedis({ fsync: 'everysec' });
  redis = new Redis(server.url.replace(/^unix:\/\//, ''));
  const connector = redisConnector(server.url);
  [store, next, single] = [1, 2, 9].map((version) => redisState({ connector, version, clock })) as [
    StateStore,
    StateStore,
    StateStore,
  ];
});
afterAll(async () => {
  await Promise.all([store.close(), next.close(), single.close()]);
  redis.disconnect();
  await server.stop();
});

const tenant = 'acme';
const subjects = Array.from({ length: 12 }, (_, n) => (n % 3 === 0 ? `a:v${n}` : `u:p${n}`));
const clock = manualClock(1_000);

const kinds = [
  'blob',
  'delete',
  'timer',
  'no timer',
  'cap',
  'request',
  'transfer',
  'expire',
  'offer',
  'claim',
  'settle',
] as const;

/** What happens to one subject in one commit, by a request, or in its inbox. */
interface Write {
  readonly subject: number;
  readonly kind: (typeof kinds)[number];
  readonly value: number;
}
const write: fc.Arbitrary<Write> = fc.record({
  subject: fc.nat(subjects.length - 1),
  kind: fc.constantFrom(...kinds),
  value: fc.nat(9),
});
const writes = fc.array(write, { maxLength: 12 });
const story = fc.record({
  from: fc.integer({ min: 1, max: 6 }),
  to: fc.integer({ min: 1, max: 6 }),
  /** Generations in force, by partition. */
  generations: fc.array(fc.nat(2), { minLength: 6, maxLength: 6 }),
  before: fc.array(writes, { maxLength: 3 }),
  /** What is written before each command of the move; at some of them the mover dies and another begins again. */
  meanwhile: fc.array(fc.record({ writes, dies: fc.boolean() }), { maxLength: 12 }),
});

const now = 1_000;
const offerOf = (decision: string) => ({
  decision,
  action: 'a',
  placement: 'banner',
  content: {},
  because: '',
  simulated: false,
  decidedAt: now,
  expiresAt: now + 3_600_000,
});

/** Like the worker and the request path: one store for each partition's share of the subjects. */
function writer(version: number, store: StateStore, partitions: number, generations: readonly number[]) {
  const inbox = redisInbox(redis, `events.v${version}`);
  let number = 0;
  const positions = Array.from({ length: partitions }, () => 0);
  const commits = Array.from({ length: partitions }, () => '');
  const choice = (value: number): Choice => ({
    action: 'a',
    caps: [{ cap: 'weekly', session: null, limit: 50, windowMs: 1_000_000, at: 1_000 + value }],
    offer: null,
    mode: 'act',
  });

  async function activate(): Promise<void> {
    for (const [partition, generation] of generations.slice(0, partitions).entries()) {
      for (let next = 1; next <= generation; next++) {
        await store.shadow(next).commit(partition, commitOf({ id: `shadow${next}` }));
        await commit(partition, { generation: next - 1, activate: next });
      }
    }
  }

  const commitOf = (given: Partial<Commit>): Commit => ({
    previous: '',
    id: `c${number++}`,
    position: 0,
    blobs: [],
    partitionState: null,
    outbox: [],
    ...given,
  });

  async function commit(partition: number, given: Partial<Commit>): Promise<void> {
    const made = commitOf({
      previous: commits[partition] ?? '',
      position: positions[partition] ?? 0,
      generation: generations[partition] ?? 0,
      ...given,
    });
    expect((await store.commit(partition, made)).kind).toBe('committed');
    commits[partition] = made.id;
  }

  return {
    activate,
    async apply(all: readonly Write[]): Promise<void> {
      for (const { subject: index, kind, value } of all) {
        const subject = subjects[index] ?? '';
        const partition = partitionOf(subject.slice(2), partitions);
        const key = `${tenant}:${subject}`;
        const decision = `${subject}/${value % 3}`;
        const at = { partition, tenant, subject };
        if (kind === 'offer') await inbox.put(at, offerOf(decision), now);
        if (kind === 'claim') await inbox.claim(at, decision, `tab${value}`, now);
        if (kind === 'settle') await inbox.settle(at, decision);
        if (kind === 'offer' || kind === 'claim' || kind === 'settle') continue;
        if (kind === 'request') {
          await store.request(partition, {
            idempotencyKey: `${subject}/${value}`,
            tenant,
            subject,
            payload: JSON.stringify({ record: { subject }, choices: [], value }),
            choices: [choice(value)],
            keepMs: 60_000_000,
            ...(value % 2 === 0 ? { forgetAt: 9_000 + value } : {}),
          });
          continue;
        }
        const outbox: OutboxItem[] = [];
        if (kind === 'cap')
          outbox.push({
            kind: 'decision',
            payload: '{}',
            tenant,
            subject,
            choices: [choice(value)],
          });
        if (kind === 'expire')
          outbox.push({ kind: 'expire', tenant, subject, at: value < 5 ? 2_000 : 2_000_000_000, ttlMs: 1 });
        if (kind === 'transfer') outbox.push({ kind: 'transfer', payload: '{}', tenant, subject });
        await commit(partition, {
          outbox,
          ...(kind === 'blob' ? { blobs: [[key, Buffer.from([1, value])]] } : {}),
          ...(kind === 'delete' ? { blobs: [[key, null]], timers: [[key, null]] } : {}),
          ...(kind === 'timer' ? { timers: [[key, 5_000 + value]] } : {}),
          ...(kind === 'no timer' ? { timers: [[key, null]] } : {}),
          ...(kind === 'expire' ? { blobs: [[key, null]], timers: [[key, 7_000 + value]] } : {}),
        });
      }
    },
  };
}

/** Everything that subjects have, whichever partition they are in; each checked to be where it belongs. */
async function contents({ version, partitions }: Omit<LogVersion, 'base'>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of await redis.keys(`{events.v${version}:*`)) {
    const [, place, kind, rest] =
      /:(\d+)\}:(state|cap|timers|idem|inbox|pushed)(?:@\d+)?:(.*)$/s.exec(name) ?? [];
    if (kind === undefined || rest === undefined) continue;
    const isAt = (subject: string) =>
      expect([name, partitionOf(subject.slice(2), partitions)]).toEqual([name, Number(place)]);
    if (kind === 'timers') {
      const flat = await redis.zrange(name, '0', '-1', 'WITHSCORES');
      for (let i = 0; i < flat.length; i += 2) {
        isAt((flat[i] ?? '').slice(tenant.length + 1));
        found[`timers ${flat[i]}`] = flat[i + 1] ?? '';
      }
      continue;
    }
    isAt(rest.slice(tenant.length + 1).split('/')[0] ?? '');
    if (kind === 'inbox' || kind === 'pushed') expect(await redis.pexpiretime(name)).toBeGreaterThan(0);
    if (kind === 'cap' || kind === 'inbox' || kind === 'pushed')
      found[`${kind} ${rest}`] = JSON.stringify(Object.entries(await redis.hgetall(name)).sort());
    else {
      found[`${kind} ${rest}`] = (await redis.getBuffer(name))?.toString('hex') ?? '';
      const time = await redis.pexpiretime(name);
      if (kind === 'idem') expect(time).toBeGreaterThan(0);
    }
  }
  return found;
}

class Died extends Error {}

describe('moving subjects to other partitions', () => {
  it('leaves everyone with what they had, whatever is written meanwhile and wherever it dies', async () => {
    await fc.assert(
      fc.asyncProperty(story, async ({ from, to, generations, before, meanwhile }) => {
        await redis.flushall();
        const own = writer(1, store, from, generations);
        const alone = writer(9, single, 1, [0]);
        await own.activate();
        const apply = async (all: readonly Write[]) => {
          await own.apply(all);
          await alone.apply(all);
        };
        for (const some of before) await apply(some);

        const steps = [...meanwhile];
        let isInTheWay = true;
        const send: Send = async (command) => {
          const step = isInTheWay ? steps.shift() : undefined;
          if (step !== undefined) await apply(step.writes);
          if (step?.dies) throw new Died();
          return command(redis);
        };
        const mover = (): Mover =>
          makeMover({
            send,
            from: { version: 1, partitions: from, base: 0 },
            to: { version: 2, partitions: to },
            logger: silentLogger(),
            pause: async () => {},
            now: () => 0,
          });
        const { signal } = new AbortController();
        const ends = async () => {
          const all = Array.from({ length: from }, (_, partition) => partition);
          return {
            logEnds: all.map(() => 7),
            outboxEnds: (await Promise.all(all.map((partition) => store.outboxRange(partition)))).map(
              ({ end }) => end,
            ),
          };
        };
        let settled: LogVersion | null = null;
        while (settled === null) {
          try {
            const one = mover();
            await one.mark();
            await one.copyAll(() => {}, signal);
            await one.copyTouched(signal);
            // From here on nobody writes; it may still die.
            isInTheWay = false;
            while ((await one.copyTouched(signal)) > 0);
            expect(await one.touched()).toBe(0);
            settled = await one.settle({
              ...(await ends()),
              groups: [],
              tenants: [tenant],
              followers: [],
              readers: [],
            });
          } catch (error) {
            if (!(error instanceof Died)) throw error;
          }
        }

        expect(await contents({ version: 2, partitions: to })).toEqual(
          await contents({ version: 9, partitions: 1 }),
        );
        const highest = Math.max(...generations.slice(0, from));
        const { outboxEnds } = await ends();
        for (let partition = 0; partition < to; partition++) {
          expect(await next.head(partition)).toMatchObject({
            position: settled.base,
            generation: highest,
          });
          const end = Math.max(...outboxEnds);
          expect(await next.outboxRange(partition)).toEqual({ start: end, end });
        }
        // It goes on there as one that always was.
        const head = await next.head(0);
        const outcome = await next.commit(0, {
          previous: head.commitId,
          id: 'after',
          position: head.position + 1,
          blobs: [],
          partitionState: null,
          outbox: [{ kind: 'batch', payload: 'x' }],
          generation: head.generation,
        });
        expect(outcome).toMatchObject({ kind: 'committed', sequence: head.sequence + 1 });
        expect(await next.readOutbox(0, Math.max(...outboxEnds), 1, 0)).toMatchObject([{ payload: 'x' }]);
        await mover().forget(signal);
        expect(await redis.keys('{events.v1:*')).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('takes over how far time has come, who is stopped, and what stands beside readers', async () => {
    await redis.flushall();
    const mark = (at: number, leader: string, leadTime: number) => ({
      at,
      movedAt: at + 1,
      leader,
      leadTime,
      ledAt: leadTime + 1,
    });
    for (const [partition, marks] of [mark(10, 'x', 30), mark(20, 'y', 25)].entries()) {
      const state = emptyPartitionState();
      state.watermarks.set(tenant, marks);
      if (partition === 1) state.stopped.add(tenant);
      await redis.set(`{events.v1:${partition}}:partition`, encodePartitionState(state));
    }
    await redis.hset('{events.v1:0}:readers', { sink: '1', push: '1', builds: '{"last":3}' });
    await makeMover({
      send: (command) => command(redis),
      from: { version: 1, partitions: 2, base: 0 },
      to: { version: 2, partitions: 3 },
      logger: silentLogger(),
      pause: async () => {},
      now: () => 0,
    }).settle({
      logEnds: [5, 9],
      outboxEnds: [1, 2],
      groups: [],
      tenants: [],
      followers: ['push'],
      readers: ['sink'],
    });
    for (let partition = 0; partition < 3; partition++) {
      const { watermarks, stopped } = decodePartitionState(
        await redis.getBuffer(`{events.v2:${partition}}:partition`),
      );
      expect(watermarks.get(tenant)).toEqual({ at: 20, movedAt: 21, leader: 'x', leadTime: 30, ledAt: 31 });
      expect([...stopped]).toEqual([tenant]);
      expect(await redis.hget(`{events.v2:${partition}}:head`, 'position')).toBe('18');
    }
    const push = '{"position":2,"mark":null}';
    expect(await redis.hgetall('{events.v2:0}:readers')).toEqual({ push, builds: '{"last":3}' });
    expect(await redis.hgetall('{events.v2:1}:readers')).toEqual({ push });
  });

  it('keeps what all subjects share, as if all events had come to the partitions that there are now', async () => {
    const workspace = await loadWorkspace(`${root}/tests/workspaces/shared`);
    const groups = sharedGroups(workspace);
    const partials = async (version: number, partitions: number) => {
      const found: Map<string, Uint8Array>[] = [];
      for (let partition = 0; partition < partitions; partition++) {
        const blobs = new Map<string, Uint8Array>();
        for (const key of groups.flatMap((group) => sharedKeys(tenant, group))) {
          const blob = await redis.getBuffer(`{events.v${version}:${partition}}:state:${key}`);
          if (blob !== null) blobs.set(key, blob);
        }
        found.push(blobs);
      }
      return mergeShared(tenant, groups, workspace.shared, found);
    };
    for (const [from, to] of [
      [4, 3],
      [5, 1],
      [2, 4],
    ] as const) {
      await redis.flushall();
      for (let event = 0; event < 200; event++) {
        const properties = { item: `i${event % 17}`, price: (event % 40) / 4 };
        for (const group of groups) {
          const key = `{events.v1:${event % from}}:state:${sharedKeyFor(tenant, group, properties)}`;
          const blob = await redis.getBuffer(key);
          const state = blob === null ? group.features.empty() : group.features.decode(blob);
          const time = 1_700_000_000_000 + event * 1_000;
          group.features.update(
            state,
            { id: `e${event}`, type: event % 3 === 0 ? 'click' : 'view', time, properties, session: null },
            event,
          );
          await redis.set(key, Buffer.from(group.features.encode(state)));
        }
      }
      const { features, at } = await partials(1, from);
      await makeMover({
        send: (command) => command(redis),
        from: { version: 1, partitions: from, base: 0 },
        to: { version: 2, partitions: to },
        logger: silentLogger(),
        pause: async () => {},
        now: () => 0,
      }).settle({ logEnds: [200], outboxEnds: [0], groups, tenants: [tenant], followers: [], readers: [] });
      expect(await partials(2, to)).toMatchObject({ features, at });
    }
  });
});
