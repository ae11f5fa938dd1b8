import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PresageError } from '../../core/index.ts';
import { memoryLog } from '../../stream/log/memory-log.ts';
import type { EventLog } from '../../stream/log/port.ts';
import { memoryState } from '../../stream/state/memory-state.ts';
import type { StateStore } from '../../stream/state/port.ts';
import {
  baseTime,
  type CommitSpec,
  contents,
  type eventOf,
  fold,
  nothing,
  play,
  quiet,
  type RecordSpec,
} from './history.fixture.ts';
import { deleteAll, makeSink, openEmbeddedWarehouse, type Sink, type Warehouse } from './index.ts';

let folder: string;
let warehouse: Warehouse;
let log: EventLog;
let store: StateStore;
let run = 0;
/** Each test lives a day after the one before it, as installations do. */
const clock = { now: () => baseTime + run * 86_400_000, monotonic: () => performance.now() };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-sink-'));
  warehouse = await openEmbeddedWarehouse({ folder });
});
afterAll(async () => {
  await warehouse.close();
  await rm(folder, { recursive: true, force: true });
});
const afresh = async (): Promise<void> => {
  run++;
  await deleteAll(warehouse);
  log = memoryLog({ partitions: 2, clock });
  store = memoryState({ clock });
};
beforeEach(afresh);

interface Faults {
  readonly warehouse?: Partial<Warehouse>;
  readonly store?: Partial<StateStore>;
}

const sinkOf = (faults: Faults = {}, limits = {}): Sink =>
  makeSink({
    log,
    store: { ...store, ...faults.store },
    warehouse: { ...warehouse, ...faults.warehouse },
    clock,
    logger: quiet,
    registry: new Registry(),
    limits: { flushMs: 0, mostPauseMs: 0, retryMs: { first: 1, most: 5 }, ...limits },
  });

const ends = async (): Promise<number[]> => [(await store.head(0)).position, (await store.head(1)).position];
const outboxEnds = async (): Promise<number[]> => [
  (await store.outboxRange(0)).end,
  (await store.outboxRange(1)).end,
];

/** Runs a sink until everything is written. */
async function drain(sink: Sink): Promise<void> {
  await sink.start();
  const [wanted, outbox] = [await ends(), await outboxEnds()];
  await sink.untilPassed(wanted);
  await expect.poll(() => [0, 1].every((p) => (sink.needed(p)?.outbox ?? -1) >= (outbox[p] ?? 0))).toBe(true);
  await sink.stop();
}

const events = (count: number): RecordSpec[] => Array.from({ length: count }, () => ({ kind: 'event' }));
const unavailable = (): PresageError =>
  new PresageError('warehouse_unavailable', 'gone', { retriable: true });

describe('what the sink writes', () => {
  it('writes events without repeats, dead letters and what the engine said itself', async () => {
    const commits: CommitSpec[] = [
      {
        records: [
          { kind: 'event' },
          { kind: 'duplicate' },
          { kind: 'dead' },
          { kind: 'control' },
          { kind: 'exposure', decision: 'd1' },
          { kind: 'exposure', decision: 'd1' },
          { kind: 'outcome', decision: 'd1' },
          { kind: 'event', lateMs: 7_200_000 },
          { kind: 'event', isClamped: true },
        ],
        decisions: ['d1'],
        requests: ['d2'],
      },
    ];
    await play(log, store, 0, commits);
    await drain(sinkOf());
    expect(await contents(warehouse)).toEqual(fold(0, commits));
    expect(await warehouse.rows('SELECT toUInt32(late_ms) AS late FROM late_events')).toEqual([
      { late: 7_200_000 },
    ]);
  });

  it('keeps a dead letter with its bytes', async () => {
    await play(log, store, 0, [{ records: [{ kind: 'dead', source: 'feed:r1' }] }]);
    await drain(sinkOf());
    const [row] = await warehouse.rows<{ text: string; code: string; source: string }>(
      'SELECT hex(base64Decode(bytes)) AS text, code, source FROM dead_letters',
    );
    expect(Buffer.from(row!.text, 'hex')).toEqual(Buffer.from('not json 0 \xff', 'latin1'));
    expect(row).toMatchObject({ code: 'not_json', source: 'feed:r1' });
  });

  it('lists a record that a source could not use once, however often it was appended', async () => {
    const row = (position: number, message: string, source = 'source:plain') =>
      JSON.stringify({
        tenant: 'shop',
        event_id: 'e',
        source,
        code: 'not_json',
        message,
        bytes: '',
        received: clock.now(),
        simulated: false,
        partition: 0,
        position,
      });
    const rows = [
      row(1, 'plain[2]@7: no JSON'),
      row(2, 'plain[2]@7: no JSON'),
      row(3, 'plain[2]@8: no JSON'),
      row(4, 'expected a number'),
      row(5, 'expected a number'),
      row(6, 'plain[2]@7: no JSON', 'http'),
    ];
    await warehouse.insert('dead_letter_rows', rows.join('\n'), `letters ${run}`);
    const found = await warehouse.rows<{ position: string }>(
      'SELECT position FROM dead_letters ORDER BY position',
    );
    expect(found.map(({ position }) => Number(position))).toEqual([1, 3, 4, 5, 6]);
  });

  it('stores an event of 2018 although its tables forget old rows', async () => {
    const time = Date.UTC(2018, 10, 1);
    await play(log, store, 0, [{ records: [{ kind: 'event', event: { time } }] }]);
    await drain(sinkOf());
    expect(await warehouse.rows('SELECT toUnixTimestamp64Milli(time) AS at FROM events')).toEqual([
      { at: time },
    ]);
  });

  it('uses the append time where the stated time was later, and keeps the stated one', async () => {
    const time = clock.now() + 3_600_000;
    await play(log, store, 0, [{ records: [{ kind: 'event', isClamped: true, event: { time } }] }]);
    await drain(sinkOf());
    expect(
      await warehouse.rows(
        'SELECT time = received AS same, toUnixTimestamp64Milli(stated_time) AS stated FROM events',
      ),
    ).toEqual([{ same: 1, stated: time }]);
  });

  it('takes what no ClickHouse column likes: half surrogates, NUL, huge times, deep properties', async () => {
    let deep: unknown = 1;
    for (let i = 0; i < 3_000; i++) deep = { d: deep };
    const hostile: Partial<ReturnType<typeof eventOf>>[] = [
      { type: 'half \ud800 pair', session: '\udfff' },
      { userId: 'nul \u0000 byte', properties: { 'k\ud800': '\ud800', nul: '\u0000' } },
      { time: Number.MAX_SAFE_INTEGER },
      { time: -5 },
      { properties: deep as Record<string, unknown> },
      { properties: { big: 1e308, tiny: 5e-324, minusZero: -0 } },
    ];
    await play(log, store, 0, [
      { records: hostile.map((event) => ({ kind: 'event', event, lateMs: 1e300 })) },
      { records: [{ kind: 'exposure', decision: '\ud800' }] },
    ]);
    await drain(sinkOf());
    expect(await warehouse.rows('SELECT count() AS n FROM events')).toEqual([{ n: hostile.length }]);
    expect(await warehouse.rows("SELECT type FROM events WHERE type LIKE 'half%'")).toEqual([
      { type: 'half \ufffd pair' },
    ]);
  });

  it('finishes a decision with what the commit found', async () => {
    await play(log, store, 0, [{ records: events(1), decisions: ['d1'] }]);
    await drain(sinkOf());
    const [row] = await warehouse.rows<{ action: string; p: number; record: string }>(
      'SELECT action, accept_probability AS p, record FROM decisions',
    );
    expect(row).toMatchObject({ action: 'voucher', p: 0.25 });
    expect(JSON.parse(row!.record)).toMatchObject({
      id: 'd1',
      available: ['voucher'],
      offer: { content: { text: '5 €' } },
    });
  });

  it('lets the later of two records of one decision stand', async () => {
    await play(log, store, 0, [
      { records: events(1), decisions: ['d1'] },
      { records: events(2), decisions: ['d1'] },
    ]);
    await drain(sinkOf());
    expect(await warehouse.rows('SELECT position FROM decisions')).toEqual([{ position: 1 }]);
  });

  it('says of system events that do not say what they should what they are, and goes on', async () => {
    await play(log, store, 0, [
      { records: [{ kind: 'event', event: { type: '$exposure', properties: { decision: 5 } } }] },
      { records: events(1) },
    ]);
    await drain(sinkOf());
    expect(await warehouse.rows('SELECT type FROM control_events')).toEqual([{ type: '$exposure' }]);
    expect(await warehouse.rows('SELECT count() AS n FROM events')).toEqual([{ n: 1 }]);
  });
});

describe('exactly once', () => {
  const commits: CommitSpec[] = [
    { records: [...events(3), { kind: 'duplicate' }, { kind: 'dead' }], decisions: ['d1'] },
    {
      records: [
        { kind: 'exposure', decision: 'd1' },
        { kind: 'control' },
        { kind: 'outcome', decision: 'd1' },
        ...events(2),
      ],
      requests: ['d2'],
    },
  ];

  it('survives an end at every step, before and after it takes effect', async () => {
    for (let step = 1; step < 200; step++) {
      for (const takesEffect of [false, true]) {
        await afresh();
        await play(log, store, 0, commits);
        const { faults, hasEnded } = endingAt(step, takesEffect);
        const first = sinkOf(faults, { entries: 3 });
        await first.start();
        const reached = await Promise.race([
          first.untilPassed(await ends()).then(() => false),
          hasEnded.then(() => true),
        ]);
        await first.stop();
        await drain(sinkOf({}, { entries: 50 }));
        expect(await contents(warehouse), `step ${step}, ${takesEffect ? 'after' : 'before'}`).toEqual(
          fold(0, commits),
        );
        if (!reached && takesEffect) return;
      }
    }
    throw new Error('The sink never got to its end.');
  });

  it('tries an insert whose reply was lost again, and it counts once', async () => {
    await play(log, store, 0, [{ records: events(5) }]);
    let lost = 0;
    const sink = sinkOf({
      warehouse: {
        insert: async (table, rows, token) => {
          await warehouse.insert(table, rows, token);
          if (lost++ < 3) throw unavailable();
        },
      },
    });
    await drain(sink);
    expect(lost).toBeGreaterThan(3);
    expect(await warehouse.rows('SELECT count() AS n FROM events')).toEqual([{ n: 5 }]);
  });

  it('skips nothing while ClickHouse is away, and says so', async () => {
    await play(log, store, 0, [{ records: events(5) }]);
    let isAway = true;
    const sink = sinkOf({
      warehouse: {
        insert: async (...args) => {
          if (isAway) throw unavailable();
          await warehouse.insert(...args);
        },
      },
    });
    await sink.start();
    await expect.poll(() => sink.health().state).toBe('degraded');
    expect(sink.needed(0)).toEqual({ outbox: 0, log: 0 });
    expect(sink.passed(0, 0)).toBe(false);
    isAway = false;
    await sink.untilPassed([5]);
    expect(sink.health()).toEqual({ state: 'ok' });
    expect(sink.passed(0, 4)).toBe(true);
    await sink.stop();
  });

  it('holds for any history, any block size and any ends in between', async () => {
    const record: fc.Arbitrary<RecordSpec> = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          kind: fc.constant('event' as const),
          lateMs: fc.constantFrom(0, 5_000),
          isClamped: fc.boolean(),
        }),
      },
      { weight: 1, arbitrary: fc.constant({ kind: 'duplicate' as const }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'dead' as const }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'control' as const }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constantFrom('exposure' as const, 'outcome' as const),
          decision: fc.constantFrom('d1', 'd2'),
        }),
      },
    );
    const id = fc.constantFrom('d1', 'd2', 'd3');
    const history = fc.array(
      fc.record({
        records: fc.array(record, { maxLength: 6 }),
        decisions: fc.array(id, { maxLength: 2 }),
        requests: fc.array(
          id.map((name) => `r-${name}`),
          { maxLength: 1 },
        ),
      }),
      { maxLength: 8 },
    );
    const end = fc.record({
      step: fc.integer({ min: 1, max: 12 }),
      takesEffect: fc.boolean(),
      entries: fc.integer({ min: 1, max: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(history, history, fc.array(end, { maxLength: 3 }), async (zero, one, endings) => {
        await afresh();
        await play(log, store, 0, zero);
        await play(log, store, 1, one);
        for (const { step, takesEffect, entries } of endings) {
          const { faults, hasEnded } = endingAt(step, takesEffect);
          const sink = sinkOf(faults, { entries });
          await sink.start();
          await Promise.race([sink.untilPassed(await ends()), hasEnded]);
          await sink.stop();
        }
        await drain(sinkOf({}, { entries: 3 }));
        expect(await contents(warehouse)).toEqual(fold(1, one, fold(0, zero, nothing())));
      }),
      { numRuns: 15 },
    );
  });
});

describe('its place in the outbox', () => {
  it('goes on where it was', async () => {
    await play(log, store, 0, [{ records: events(3) }]);
    await drain(sinkOf());
    await play(log, store, 0, [{ records: events(2) }]);
    const sink = sinkOf();
    await sink.start();
    await sink.untilPassed([5]);
    expect(sink.positions()).toContainEqual({ partition: 0, outbox: 2, log: 5 });
    await sink.stop();
    expect(await warehouse.rows('SELECT count() AS n FROM events')).toEqual([{ n: 5 }]);
  });

  it('after a rewind of the state store writes no event twice', async () => {
    const commits: CommitSpec[] = [{ records: events(3), decisions: ['d1'] }, { records: events(2) }];
    await play(log, store, 0, commits);
    await drain(sinkOf());
    // The state store forgets all but the sink's own position; the log (Kafka's, say) forgets nothing.
    const position = await store.readerState(0, 'sink');
    const replayed = memoryLog({ partitions: 2, clock });
    store = memoryState({ clock });
    await store.saveReaderState(0, 'sink', position!);
    await play(replayed, store, 0, [{ records: events(5), decisions: ['d1'] }]);
    const sink = sinkOf();
    await sink.start();
    await expect.poll(() => sink.needed(0)).toEqual({ outbox: 2, log: 5 });
    await sink.stop();
    expect(await contents(warehouse)).toEqual(fold(0, commits));
  });

  it('begins anew when state and log are gone, and takes the new events for new', async () => {
    await play(log, store, 0, [{ records: events(3) }]);
    await drain(sinkOf());
    run++;
    log = memoryLog({ partitions: 2, clock });
    store = memoryState({ clock });
    await play(log, store, 0, [{ records: events(3) }]);
    await drain(sinkOf());
    expect(await warehouse.rows('SELECT count() AS n FROM events')).toEqual([{ n: 6 }]);
  });

  it('refuses a saved position that it can not read, in a sentence', async () => {
    await store.saveReaderState(0, 'sink', '{"v":9}');
    const sink = sinkOf();
    await sink.start();
    await expect
      .poll(() => sink.health())
      .toMatchObject({ why: expect.stringContaining('position of partition 0') });
    await sink.stop();
  });
});

/** Faults that let `step` calls through and then make everything fail, as a killed process does; the last one may take effect. */
function endingAt(step: number, takesEffect: boolean): { faults: Faults; hasEnded: Promise<void> } {
  let left = step;
  let ended: () => void = () => {};
  const hasEnded = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    if (left <= 0) throw unavailable();
    left--;
    if (left > 0) return work();
    if (takesEffect) await work();
    ended();
    throw unavailable();
  };
  const { insert } = warehouse;
  const { saveReaderState, readOutbox } = store;
  return {
    hasEnded,
    faults: {
      warehouse: { insert: (...args) => guard(() => insert(...args)) },
      store: {
        saveReaderState: (...args) => guard(() => saveReaderState(...args)),
        readOutbox: (...args) => (left <= 0 ? Promise.reject(unavailable()) : readOutbox(...args)),
      },
    },
  };
}
