import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DecisionRecord, StoredEvent } from '../../schemas/index.ts';
import { type Fired, referenceDecisions, type TimedEvent } from '../../tests/reference/timers.ts';
import { manualClock } from '../../tests/support/clock.ts';
import { root } from '../../tests/support/program.ts';
import { type CompiledWorkspace, loadWorkspace } from '../../workspace/index.ts';
import { makeFeatureSet } from '../features/index.ts';
import type { LogRecord } from '../log/port.ts';
import { recordOf } from '../log/record.ts';
import { readOutboxEntry } from '../outbox.ts';
import { decodePartitionState } from '../partition-state.ts';
import { processBatch } from '../process.ts';
import { commitOf } from '../publish.ts';
import { memoryState } from '../state/index.ts';
import { SubjectCache } from '../subjects.ts';
import { topology } from '../topology.ts';
import { Horizon } from './horizon.ts';

const full = process.env.PRESAGE_FULL === '1';
const runs = full ? 20_000 : 700;
const timeout = full ? 3_600_000 : 300_000;
const start = Date.UTC(2026, 0, 1);
const second = 1_000;
const workspaceTtl = 365 * 86_400 * second;
/** Long after all events, as with a history that is fed. */
const appendedAt = start + workspaceTtl;
const scorers = { get: () => undefined, close: async () => {} };
let workspace: CompiledWorkspace;
beforeAll(async () => {
  workspace = await loadWorkspace(`${root}/tests/workspaces/timers`);
});

/** Seconds since the event before it, which may be negative, and what happens. */
const happening = fc.record({
  after: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 20 }) },
    { weight: 2, arbitrary: fc.integer({ min: -40, max: 0 }) },
    { weight: 1, arbitrary: fc.integer({ min: 20, max: 400 }) },
  ),
  subject: fc.constantFrom('ann', 'ann', 'bob', 'cid'),
  what: fc.oneof(
    fc.record({ type: fc.constant('view'), price: fc.constantFrom(10, 60, 80, 95) }),
    fc.record({
      type: fc.constant('cart'),
      cart: fc.constantFrom('one', 'two'),
      value: fc.constantFrom(5, 50),
    }),
    fc.record({ type: fc.constant('order'), cart: fc.constantFrom('one', 'two') }),
    fc.record({ type: fc.constant('$tick') }),
  ),
  session: fc.option(fc.constantFrom('tab-1', 'tab-2'), { nil: undefined, freq: 4 }),
});
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;
const story = fc.array(happening, { maxLength: 40 });

function eventsOf(story: readonly Happening[]): TimedEvent[] {
  let time = start + 1_000 * second;
  return story.map(({ after, subject, what, session }, index): TimedEvent => {
    time += after * second;
    const isTick = what.type === '$tick';
    const cart = 'cart' in what ? { id: what.cart } : {};
    return {
      // Every tenth is a repeat of one before it.
      id: index % 10 === 9 ? `e${index - 3}` : `e${index}`,
      subject: isTick ? 'u:engine' : `u:${subject}`,
      type: what.type,
      time,
      session: isTick ? undefined : session,
      properties: isTick
        ? { clock: appendedAt }
        : {
            ...cart,
            ...('value' in what ? { value: what.value } : {}),
            ...('price' in what ? { price: what.price } : {}),
          },
    };
  });
}

const recordsOf = (events: readonly TimedEvent[]): LogRecord[] =>
  events.map(({ id, subject, type, time, session, properties }, offset) => {
    const userId = subject.slice(2);
    const stored: StoredEvent = {
      v: 1,
      id,
      tenant: 'acme',
      type,
      userId,
      ...(session === undefined ? {} : { session }),
      time,
      properties: { ...properties },
      source: 'http',
    };
    return recordOf(offset, appendedAt, userId, Buffer.from(JSON.stringify(stored)));
  });

interface Way {
  /** Records of the next batch, in turn. */
  readonly batches: readonly number[];
  /** What happens around the next commit, in turn. */
  readonly crashes: readonly ('none' | 'before' | 'after')[];
  readonly page: number;
  readonly most: number;
  readonly cached: number;
}

const way = fc.record({
  batches: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 }),
  crashes: fc.array(fc.constantFrom('none' as const, 'none' as const, 'before' as const, 'after' as const), {
    minLength: 1,
    maxLength: 6,
  }),
  page: fc.integer({ min: 1, max: 8 }),
  most: fc.integer({ min: 1, max: 4 }),
  cached: fc.integer({ min: 0, max: 3 }),
});

/** Processes a log as a worker would, in these batches, forgetting everything at these points. */
async function decisionsOf(
  records: readonly LogRecord[],
  { batches, crashes, page, most, cached }: Way,
  ttlMs: number,
): Promise<{ decisions: DecisionRecord[]; blobs: string[]; index: [string, number][]; late: number }> {
  const clock = manualClock(appendedAt);
  const store = memoryState({ clock });
  const mine = { ...workspace, stateTtlMs: ttlMs };
  const features = makeFeatureSet(mine);
  const parts = { workspace: mine, features, scorers, clock, partitions: 1, timersPerBatch: most };
  let turn = 0;
  const load = async () => ({
    head: await store.head(0),
    path: topology(parts, 0),
    cache: new SubjectCache({ store, features, partition: 0, limits: { subjects: cached, bytes: 1e9 } }),
    state: decodePartitionState(await store.partitionState(0)),
    horizon: new Horizon({ store, partition: 0, settled: async () => {}, page }),
  });
  let memory = await load();
  let { position, commitId } = memory.head;
  while (position < records.length) {
    const some = records.slice(position, position + (batches[turn % batches.length] ?? 1));
    const batch = await processBatch(memory.path, 0, some, memory.cache, memory.state, memory.horizon);
    const { commit } = commitOf(batch, features, commitId, `c${turn}`);
    memory.state.changed = false;
    // Too many crashes in a row would never get on.
    const crash = turn < 200 ? crashes[turn % crashes.length] : 'none';
    turn++;
    if (crash !== 'before' || turn % 2 === 0) {
      expect((await store.commit(0, commit)).kind).toBe('committed');
      ({ position } = batch);
      commitId = commit.id;
      memory.cache.evict();
    }
    if (crash !== 'none') {
      memory = await load();
      ({ position, commitId } = memory.head);
    }
    if (turn > 5_000) throw new Error('It does not get on.');
  }
  const { end } = await store.outboxRange(0);
  const entries = (await store.readOutbox(0, 0, end + 1, 0)).map(readOutboxEntry);
  const keys = ['acme:u:ann', 'acme:u:bob', 'acme:u:cid'];
  return {
    decisions: entries.flatMap((entry) => (entry.kind === 'decision' ? [entry.decision] : [])),
    blobs: (await store.load(0, keys)).map((blob) => blob?.toString('hex') ?? ''),
    index: await store.earliestTimers(0, 'acme', 100),
    late: entries.flatMap((entry) => (entry.kind === 'batch' ? entry.batch.late : [])).length,
  };
}

const plainWay: Way = { batches: [1_000], crashes: ['none'], page: 1_000, most: 1_000, cached: 1_000 };
const ttl = fc.constantFrom(workspaceTtl, 300 * second);
const rulesFor = (ttlMs: number) => ({
  gapMs: 60 * second,
  delayMs: 5 * second,
  latenessMs: 30 * second,
  ttlMs,
});
/** Of what is due at the end of one. An absence is told in the session that is current when it fires. */
const sessionOf = ({ session, startedBy }: DecisionRecord) =>
  startedBy.kind === 'timer' && startedBy.trigger === 'over' ? session : null;
const firedOf = ({ subject, startedBy, time }: DecisionRecord): Fired => ({
  subject,
  trigger: startedBy.kind === 'request' ? '' : startedBy.trigger,
  time,
  cause: startedBy.kind === 'trigger' ? startedBy.event : 'timer',
});

describe('triggers and timers', { timeout }, () => {
  it('decide what their definitions say, in that order', async () => {
    await fc.assert(
      fc.asyncProperty(story, ttl, async (happenings, ttlMs) => {
        const events = eventsOf(happenings);
        const { decisions } = await decisionsOf(recordsOf(events), plainWay, ttlMs);
        expect(decisions.map(firedOf)).toEqual(referenceDecisions(events, rulesFor(ttlMs)));
      }),
      { numRuns: runs },
    );
  });

  it('decide and keep the same wherever batches end, workers die and the horizon lies', async () => {
    await fc.assert(
      fc.asyncProperty(story, way, ttl, async (happenings, way, ttlMs) => {
        const records = recordsOf(eventsOf(happenings));
        expect(await decisionsOf(records, way, ttlMs)).toEqual(await decisionsOf(records, plainWay, ttlMs));
      }),
      { numRuns: runs },
    );
  });

  it('of timers are the same in whatever order events come within the delay', async () => {
    const jitter = fc.array(fc.integer({ min: 0, max: 4_999 }), { minLength: 40, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(story, jitter, async (happenings, jitters) => {
        const events = eventsOf(happenings)
          .filter(({ type }) => type !== '$tick')
          .map((event, index) => ({ ...event, id: `e${index}` }))
          .sort((a, b) => a.time - b.time);
        const shaken = events
          .map((event, index) => ({ event, at: event.time + (jitters[index] ?? 0) }))
          .sort((a, b) => a.at - b.at)
          .map(({ event }) => event);
        const last: TimedEvent = {
          id: 'last',
          subject: 'u:engine',
          type: '$tick',
          time: start + 100_000 * second,
          properties: { clock: appendedAt },
        };
        const timersOf = async (log: readonly TimedEvent[]) =>
          (await decisionsOf(recordsOf([...log, last]), plainWay, workspaceTtl)).decisions
            .filter(({ startedBy }) => startedBy.kind === 'timer')
            .map((decision) => ({ ...firedOf(decision), id: decision.id, session: sessionOf(decision) }))
            .sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
        expect(await timersOf(shaken)).toEqual(await timersOf(events));
      }),
      { numRuns: runs },
    );
  });

  it('leave no subject without an entry in the index that is early enough', async () => {
    await fc.assert(
      fc.asyncProperty(story, way, async (happenings, way) => {
        const records = recordsOf(eventsOf(happenings));
        const { blobs, index } = await decisionsOf(records, way, 300 * second);
        const features = makeFeatureSet(workspace);
        const keys = ['acme:u:ann', 'acme:u:bob', 'acme:u:cid'];
        for (const [at, blob] of blobs.entries()) {
          if (blob === '') continue;
          const state = features.decode(Buffer.from(blob, 'hex'));
          const entry = index.find(([key]) => key === keys[at]);
          expect(entry?.[1]).toBe(state.indexed);
          expect(state.indexed).toBeLessThanOrEqual(features.activity(state) + 300 * second);
          expect(state.indexed).toBeLessThanOrEqual(state.timers?.pending[0]?.due ?? Infinity);
        }
      }),
      { numRuns: runs / 4 },
    );
  });
});
