import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { patienceMs } from '../../tests/support/patience.ts';
import { startTestRedis, type TestRedis } from '../../tests/support/redis.ts';
import { redisConnector } from '../redis/index.ts';
import { type OutboxItem, redisState, type StateStore } from './index.ts';
import { choice, commit, decision } from './state.contract.ts';

const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const partitions = [0, 1, 2];
const kills = 5;

describe('kill -9 of Redis during commits', () => {
  it('loses nothing acknowledged, half-applies nothing, and the chains go on by themselves', async () => {
    const server = await startTestRedis();
    const store = redisState({ connector: redisConnector(server.url), version: 1, clock, patienceMs });
    const acknowledged = new Map<number, number>(partitions.map((partition) => [partition, 0]));
    const total = (): number => [...acknowledged.values()].reduce((sum, count) => sum + count, 0);
    let isOver = false;
    try {
      const writers = partitions.map(async (partition) => {
        for (let i = 1; !isOver; i++) {
          const outcome = await store.commit(partition, numbered(partition, i));
          expect(outcome).toMatchObject({
            kind: 'committed',
            sequence: i,
            resolutions: [{ slots: [{ chosen: 0 }] }],
          });
          acknowledged.set(partition, i);
        }
      });
      for (let kill = 1; kill <= kills; kill++) {
        const before = total();
        await vi.waitFor(() => expect(total()).toBeGreaterThan(before + 100 * kill), patienceMs);
        await server.kill();
        const known = new Map(acknowledged);
        await server.restart();
        await expectWhole(server, known);
      }
      const before = total();
      await vi.waitFor(() => expect(total()).toBeGreaterThan(before + 50), patienceMs);
      isOver = true;
      await Promise.all(writers);
      for (const partition of partitions) {
        const count = acknowledged.get(partition) ?? 0;
        const entries = await store.readOutbox(partition, 0, 1_000_000, 0);
        expect(entries.map(({ payload }) => Number(payload))).toEqual(
          Array.from({ length: 2 * count }, (_, i) => Math.floor(i / 2) + 1),
        );
        const used = await store.capsUsed(partition, 'acme', 'u:1', [{ ...numberedTake, at: 1 }]);
        expect(used).toEqual([count]);
      }
    } finally {
      isOver = true;
      await store.close();
      await server.stop();
    }
  });
});

describe('two writers on one partition', () => {
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

  it('make one history together, whatever they pipeline: each commit is in it or fenced, never both', async () => {
    const burst = fc.record({ left: fc.integer({ min: 0, max: 4 }), right: fc.integer({ min: 0, max: 4 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(burst, { minLength: 1, maxLength: 15 }), async (bursts) => {
        await admin.flushall();
        const writers = ['left', 'right'].map((name) => new Writer(name, server.url));
        try {
          for (const { left, right } of bursts) {
            await Promise.all([writers[0]!.burst(left), writers[1]!.burst(right)]);
          }
          const store = writers[0]!.store;
          const published = await store.readOutbox(0, 0, 10_000, 0);
          const committed = writers.flatMap((writer) => writer.committed);
          committed.sort((a, b) => a.sequence - b.sequence);
          expect(committed.map(({ sequence }) => sequence)).toEqual(committed.map((_, i) => i + 1));
          expect(published.map(({ payload }) => payload)).toEqual(committed.map(({ id }) => id));
          expect((await store.head(0)).commitId).toBe(committed.at(-1)?.id ?? '');
        } finally {
          for (const writer of writers) await writer.store.close();
        }
      }),
      { numRuns: 25 },
    );
  });
});

/** A worker as the design has it: extends what it knows, in a pipeline; when fenced, reloads. */
class Writer {
  readonly store: StateStore;
  readonly committed: { id: string; sequence: number }[] = [];
  readonly #name: string;
  #previous = '';
  #count = 0;

  constructor(name: string, url: string) {
    this.#name = name;
    this.store = redisState({ connector: redisConnector(url), version: 1, clock });
  }

  async burst(size: number): Promise<void> {
    const ids = Array.from({ length: size }, () => `${this.#name}-${++this.#count}`);
    const outcomes = await Promise.all(
      ids.map((id, i) => {
        const outbox: OutboxItem[] = [{ kind: 'batch', payload: id }];
        return this.store.commit(0, commit(ids[i - 1] ?? this.#previous, id, { outbox }));
      }),
    );
    outcomes.forEach((outcome, i) => {
      if (outcome.kind === 'committed') this.committed.push({ id: ids[i]!, sequence: outcome.sequence });
    });
    const last = outcomes.at(-1);
    if (last?.kind === 'committed') this.#previous = ids.at(-1)!;
    if (last?.kind === 'fenced') this.#previous = (await this.store.head(0)).commitId;
  }
}

const numberedTake = { cap: 'all', session: null, limit: 1_000_000, windowMs: 1_000_000 };

/** Commit number i: everything it writes says i. */
function numbered(partition: number, i: number) {
  return commit(i === 1 ? '' : `${partition}-${i - 1}`, `${partition}-${i}`, {
    position: i,
    blobs: Array.from({ length: 20 }, (_, n) => [`acme:u:${n}`, Buffer.from(`${i}`)]),
    partitionState: Buffer.from(`${i}`),
    outbox: [
      { kind: 'batch', payload: `${i}` },
      { ...decision([choice('a', [{ ...numberedTake, at: 1 }])]), payload: `${i}` },
    ],
  });
}

/** Looks at each partition in one step: all that a commit writes must tell of the same commit, and none be missing. */
async function expectWhole(server: TestRedis, acknowledged: ReadonlyMap<number, number>): Promise<void> {
  const redis = new Redis(server.url, { protocol: 2 });
  for (const partition of partitions) {
    const tag = `{events.v1:${partition}}`;
    const replies = await redis
      .multi()
      .hmget(`${tag}:head`, 'position', 'sequence', 'commit')
      .mget(Array.from({ length: 20 }, (_, n) => `${tag}:state:acme:u:${n}`))
      .get(`${tag}:partition`)
      .xlen(`${tag}:outbox`)
      .hget(`${tag}:cap:acme:u:1`, 'w:all')
      .exec();
    const [head, blobs, state, entries, takes] = replies!.map(([, reply]) => reply) as [
      string[],
      string[],
      string,
      number,
      string,
    ];
    const at = Number(head[0]);
    expect(at).toBeGreaterThanOrEqual(acknowledged.get(partition) ?? 0);
    expect(head).toEqual([`${at}`, `${at}`, `${partition}-${at}`]);
    expect(new Set([...blobs, state])).toEqual(new Set([`${at}`]));
    expect(entries).toBe(2 * at);
    expect((JSON.parse(takes) as number[]).length - 2).toBe(at);
  }
  redis.disconnect();
}
