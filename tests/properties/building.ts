import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import type { OutboxEntry, StoredEvent } from '../../schemas/index.ts';
import { historyOf } from '../../sinks/clickhouse/queries/history.ts';
import { makeFeatureSet } from '../../stream/features/index.ts';
import type { EventLog, LogRecord } from '../../stream/log/index.ts';
import { recordOf } from '../../stream/log/record.ts';
import { readOutboxEntry } from '../../stream/outbox.ts';
import {
  completeMoved,
  type EventHistory,
  makeHandover,
  makeShadowProgress,
  runShadow,
  type ShadowProgress,
} from '../../stream/rebuild/index.ts';
import { type SharedSnapshots, sharedGroups } from '../../stream/shared/index.ts';
import type { Commit, StateStore } from '../../stream/state/index.ts';
import type { Engine } from '../../stream/worker-parts.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { memoryTables } from '../support/memory-tables.ts';
import { root } from '../support/program.ts';
import { silentLogger } from '../support/silence.ts';
import { makeWorld, never, partitions, type Setup, scorers, turn, unavailable, type World } from './world.ts';

/** The workspace of stories, with what all subjects share beside it: nobody reads it, so the rules are the same. */
const text = await readFile(`${root}/tests/workspaces/stories/presage.yaml`, 'utf8');
export const after = await loadWorkspace(
  `${root}/tests/workspaces/stories`,
  text.replace(
    'features:\n',
    'features:\n  views_of_all: { kind: count, of: view, window: 30d, by: sku, shared: true }\n  carts_of_all: { kind: count, of: cart, window: 30d, shared: true }\n',
  ),
);
/** What is new in it is what no trigger and no action reads. */
const added = new Set([
  'by_sku',
  'dearest',
  'seen',
  'skus',
  'about_skus',
  'visit_time',
  'interest',
  'top',
  'bought',
]);
export const before = {
  ...after,
  features: after.features.filter(({ name }) => !added.has(name)),
  shared: [],
  hash: 'before',
};
const generation = 1;

/** What happens to a build, beside the story; where it is one partition, of that one. */
export type BuildStep =
  /** The shadow goes on so many steps. */
  | { do: 'go on'; partition: number; steps: number }
  | { do: 'crash'; partition: number }
  | { do: 'commit fails'; partition: number; how: 'dies before' | 'dies after' | 'is lost' | 'reply is lost' }
  /** ClickHouse gets so many of the entries of the outbox that it has not got. */
  | { do: 'write'; partition: number; entries: number }
  /** The log forgets what nobody needs. */
  | { do: 'trim'; partition: number }
  | { do: 'change over'; partition: number };

export interface BuildPlan {
  readonly from: 'events' | 'log';
  /** Which share of the story has happened when it begins. */
  readonly begins: number;
  readonly steps: readonly { readonly at: number; readonly step: BuildStep }[];
  readonly records: number;
  readonly page: number;
  readonly near: number;
  readonly cached: number;
  /** For how many steps of the shadow a worker waits where it is to change over. */
  readonly patience: number;
}

const partition = fc.integer({ min: 0, max: partitions - 1 });
const share = fc.integer({ min: 0, max: 60 });
const step: fc.Arbitrary<BuildStep> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('go on' as const),
      partition,
      steps: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), partition }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('commit fails' as const),
      partition,
      how: fc.constantFrom('dies before', 'dies after', 'is lost', 'reply is lost'),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      partition,
      entries: fc.integer({ min: 1, max: 30 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('trim' as const), partition }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change over' as const), partition }) },
);

export const buildPlan: fc.Arbitrary<BuildPlan> = fc.record({
  from: fc.constantFrom('events', 'events', 'events', 'log'),
  begins: share,
  steps: fc.array(fc.record({ at: share, step }), { maxLength: 50, size: 'max' }),
  records: fc.integer({ min: 1, max: 8 }),
  page: fc.integer({ min: 1, max: 12 }),
  near: fc.constantFrom(0, 0, 2, 10),
  cached: fc.integer({ min: 0, max: 4 }),
  patience: fc.integer({ min: 0, max: 20 }),
});

interface Life {
  readonly progress: ShadowProgress;
  allow(): void;
  die(): void;
}

/** A world in which a generation is built beside the one in force, led step by step like everything else. */
export function buildingWorld(setup: Setup, plan: BuildPlan) {
  const old: Engine = { workspace: before, features: makeFeatureSet(before), scorers };
  const groups = sharedGroups(after);
  const shared = { groups, read: () => null } as unknown as SharedSnapshots;
  const nextFeatures = makeFeatureSet(after);
  old.features.learnLayout(nextFeatures.layoutDescription);
  const tables = memoryTables();
  /** How far ClickHouse is: entries of the outbox, and positions of the log. */
  const written = Array.from({ length: partitions }, () => ({ entries: 0, position: 0 }));
  /** Users to whom a state came that was made from the table: their waits go by another clock (docs/rebuild.md). */
  const approximate = new Set<string>();
  const table = historyOf(tables.tables, {
    end: (p) => written[p]?.position ?? 0,
    versions: () => [{ version: 1, partitions: 1, base: 0 }],
  });
  const history: EventHistory = {
    ...table,
    async rows(...range) {
      const rows = await table.rows(...range);
      for (const { transfer, event } of rows)
        if (transfer?.hasState) approximate.add(`${event.tenant}:u:${event.userId}`);
      return rows;
    },
  };
  const next: Engine = {
    workspace: after,
    features: nextFeatures,
    scorers,
    shared,
    completeMoved: completeMoved({
      features: nextFeatures,
      history,
      logger: silentLogger(),
      patienceMs: 1_000,
      // Whoever waits is waited for.
      pause: async () => {
        for (let p = 0; p < partitions; p++) await write(p, 1_000);
      },
    }),
  };
  const counts = { crashes: 0, refused: 0, fromEvents: 0, fromLog: 0 };
  const lives: (Life | null)[] = Array.from({ length: partitions }, () => null);
  const failing = Array.from({ length: partitions }, (): string[] => []);
  const handover = makeHandover();
  let { patience } = plan;
  let hasBegun = false;
  let unexpected: unknown = null;

  const world = makeWorld(setup, ({ store }) => ({
    of: (one) => (one === 0 ? old : next),
    async isReady(p, one, position, watermarks) {
      if (!hasBegun) return false;
      const waiting = { generation: one, position, watermarks };
      handover.wait(p, waiting);
      for (let waited = 0; waited <= patience; waited++) {
        if (handover.isSettled(p, waiting)) return true;
        if ((await store.shadow(one).head(p)).position > position) return false;
        await goOn(p, 1);
      }
      return false;
    },
  }));
  const { store, log } = world;

  function begin(p: number): Life {
    let isDead = false;
    let wakes: (() => void)[] = [];
    const stopping = new AbortController();
    const progress = makeShadowProgress();
    const gate = () => new Promise<void>((resolve) => wakes.push(resolve));
    const alive =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      (...args: A): Promise<R> =>
        isDead ? never() : call(...args);
    const own = store.shadow(generation);
    const mine: StateStore = {
      ...store,
      head: alive(store.head),
      shadow: () => ({
        head: alive(own.head),
        partitionState: alive(own.partitionState),
        load: alive(own.load),
        earliestTimers: alive(own.earliestTimers),
        commit: alive(async (one: number, commit: Commit) => {
          const how = failing[p]?.shift();
          if (how === 'is lost') throw unavailable();
          if (how === 'dies before') return vanish();
          const outcome = await own.commit(one, commit);
          if (how === 'dies after') return vanish();
          if (how === 'reply is lost') throw unavailable();
          counts[progress.phase === 'events' ? 'fromEvents' : 'fromLog'] += 1;
          return outcome;
        }),
      }),
    };
    const vanish = (): Promise<never> => {
      crash(p);
      return never();
    };
    const readable: EventLog = {
      ...log,
      range: alive(log.range),
      subscribe: (options) =>
        log.subscribe({
          ...options,
          onAssigned: (reader) =>
            options.onAssigned({
              partition: p,
              async next() {
                if (isDead) return never();
                const records = await reader.next(plan.records * 2, 0);
                if (records.length === 0) await gate();
                return records;
              },
            }),
        }),
    };
    let looks = 0;
    void runShadow(
      {
        ...next,
        log: readable,
        store: mine,
        history: plan.from === 'events' ? history : null,
        reported: (one) => written[one]?.position ?? 0,
        generation,
        logger: silentLogger(),
        // Its patience is not what is looked at here: it ends only where nothing else would.
        clock: { now: world.clock.now, monotonic: () => (looks += 1) },
        newId: () => `s${Math.random()}`,
        handover,
        partitions,
        pace: {
          records: () => plan.records,
          async step(_signal, work) {
            await work();
            await gate();
          },
        },
        pause: gate,
        sizes: { page: plan.page, near: plan.near, cached: plan.cached },
      },
      p,
      progress,
      stopping.signal,
    ).catch((error: unknown) => {
      unexpected ??= error;
    });
    return {
      progress,
      allow() {
        for (const wake of wakes.splice(0)) wake();
      },
      die() {
        isDead = true;
        wakes = [];
      },
    };
  }

  async function goOn(p: number, steps: number): Promise<void> {
    if (!hasBegun) return;
    for (let taken = 0; taken < steps; taken++) {
      lives[p] ??= begin(p);
      lives[p]?.allow();
      await turn();
    }
  }

  function crash(p: number): void {
    if (lives[p] === null) return;
    counts.crashes += 1;
    lives[p]?.die();
    lives[p] = null;
  }

  async function write(p: number, most: number): Promise<void> {
    const mine = written[p];
    if (mine === undefined) return;
    const { end } = await store.outboxRange(p);
    const found = await store.readOutbox(p, mine.entries, Math.min(most, end - mine.entries), 0);
    let entries: OutboxEntry[] = [];
    for (const [index, entry] of found.map(readOutboxEntry).entries()) {
      entries.push(entry);
      if (entry.kind !== 'batch') continue;
      const { first, last } = entry.batch;
      const records = world.appended
        .filter(({ partition, position }) => partition === p && position >= first && position <= last)
        .map(({ position, appendedAt, value }): LogRecord => recordOf(position, appendedAt, '', value));
      tables.write(p, records, entries);
      entries = [];
      written[p] = { entries: mine.entries + index + 1, position: last + 1 };
    }
  }

  async function trim(p: number): Promise<void> {
    if (plan.from === 'log') return;
    const { position } = await store.head(p);
    // A shadow that nobody leads yet needs nothing: the table will have what is gone.
    const needed = Math.min(position, written[p]?.position ?? 0, lives[p]?.progress.needs ?? Infinity);
    await log.trim(p, needed);
  }

  async function changeOver(p: number): Promise<void> {
    if (!hasBegun) return;
    const event: StoredEvent = {
      v: 1,
      id: `b${Math.random()}`,
      tenant: 'acme',
      type: '$control',
      anonymousId: 'engine',
      time: world.clock.now(),
      properties: { control: 'activate', by: 'test', generation, workspace: after.hash },
      source: 'engine',
    };
    await world.send([{ partition: p, key: 'engine', value: Buffer.from(JSON.stringify(event)) }]);
  }

  async function take(step: BuildStep): Promise<void> {
    switch (step.do) {
      case 'go on':
        return goOn(step.partition, step.steps);
      case 'crash':
        return crash(step.partition);
      case 'commit fails':
        failing[step.partition]?.splice(0, 1, step.how);
        return;
      case 'write':
        return write(step.partition, step.entries);
      case 'trim':
        return trim(step.partition);
      case 'change over':
        return changeOver(step.partition);
    }
  }

  /** Everybody goes on until the generation is in force everywhere. */
  async function complete(): Promise<void> {
    hasBegun = true;
    patience = 200;
    for (const one of failing) one.length = 0;
    for (let p = 0; p < partitions; p++) {
      for (let rounds = 0; (await store.head(p)).generation < generation; rounds++) {
        if (rounds > 60) throw new Error(`The build of partition ${p} does not get on.`);
        for (let other = 0; other < partitions; other++) await write(other, 1_000);
        if (rounds % 10 === 0) await changeOver(p);
        await goOn(p, 40);
        await world.deliver(p);
        await world.work(p, 1_000, 'arrives', false);
        for (let other = 0; other < partitions; other++) {
          await world.deliver(other);
          await world.work(other, 1_000, 'arrives', false);
          await world.relay(other, 1_000, false);
        }
      }
    }
    for (const life of lives) counts.refused += life?.progress.refused ?? 0;
    if (unexpected !== null) throw unexpected;
  }

  const steps = [...plan.steps].sort((a, b) => a.at - b.at);
  return {
    world: world as World,
    groups,
    counts,
    approximate,
    /** What is due when so many of all happenings have been. */
    async before(happened: number, all: number): Promise<void> {
      const now = all === 0 ? 60 : (60 * happened) / all;
      hasBegun ||= now >= plan.begins;
      while ((steps[0]?.at ?? Infinity) <= now) await take(steps.shift()?.step as BuildStep);
      if (happened === all) await complete();
    },
  };
}
