import { Registry } from 'prom-client';
import { type Clock, PresageError } from '../../core/index.ts';
import type { OutboxEntry } from '../../schemas/index.ts';
import { makeFeatureSet } from '../../stream/features/index.ts';
import { recordOf } from '../../stream/identity/relay.ts';
import { type EventLog, memoryLog, type NewRecord, type PartitionReader } from '../../stream/log/index.ts';
import { streamMetrics } from '../../stream/metrics.ts';
import { readOutboxEntry } from '../../stream/outbox.ts';
import { runPartition } from '../../stream/partition-runner.ts';
import { makeProgress } from '../../stream/progress.ts';
import { type Commit, type CommitOutcome, memoryState, type StateStore } from '../../stream/state/index.ts';
import type { Engines } from '../../stream/worker-parts.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { manualClock } from '../support/clock.ts';
import { root } from '../support/program.ts';
import { silentLogger } from '../support/silence.ts';

export const partitions = 3;
export const start = Date.UTC(2026, 0, 1, 12);
export const workspace = await loadWorkspace(`${root}/tests/workspaces/stories`);
export const features = makeFeatureSet(workspace);
const metrics = streamMetrics(new Registry());
export const scorers = { get: () => undefined, close: async () => {} };

/** What becomes of a commit on its way. */
export type Fate =
  | 'arrives'
  /** The worker dies; nobody ever sees the commit. */
  | 'dies before'
  | 'dies after'
  /** The worker is told that the store did not answer. */
  | 'is lost'
  | 'reply is lost'
  /** It is on its way until `deliver`, while others may go on. */
  | 'is slow';

/** How a story's workers are set up. */
export interface Setup {
  readonly batch: number;
  readonly cached: number;
  readonly page: number;
  readonly timers: number;
  /** Silence after which a subject is forgotten. */
  readonly ttlMs: number;
}

export interface Appended {
  readonly partition: number;
  readonly position: number;
  readonly appendedAt: number;
  readonly value: Buffer;
}

interface Life {
  allow(records: number, fate: Fate): void;
  die(): void;
  isOver(): boolean;
}

/**
 * A log, a store, and lives of workers (stream/partition-runner.ts) and of the relay, each led step by step: nothing
 * happens but what it is told to do.
 */
export function makeWorld(
  setup: Setup,
  enginesOf: ((parts: { store: StateStore; clock: Clock }) => Engines) | null = null,
) {
  const clock = manualClock(start);
  const memory = memoryLog({ partitions, clock });
  const store = memoryState({ clock });
  const appended: Appended[] = [];
  const log: EventLog = {
    ...memory,
    async append(records, isWayOut) {
      const positions = await memory.append(records, isWayOut);
      for (const [index, { partition, value }] of records.entries())
        appended.push({
          partition,
          position: positions[index] ?? -1,
          appendedAt: clock.now(),
          value: Buffer.from(value),
        });
      return positions;
    },
  };
  /** Workers that still think that they have the partition, the newest last. */
  const lives = Array.from({ length: partitions }, (): Life[] => []);
  const slow = Array.from({ length: partitions }, (): (() => Promise<void>)[] => []);
  const relayed = Array.from({ length: partitions }, () => 0);
  const counts = { fenced: 0, commits: 0, lives: 0 };
  const engines = enginesOf?.({ store, clock });
  let unexpected: unknown = null;

  async function begin(partition: number): Promise<Life> {
    counts.lives += 1;
    const head = await store.head(partition);
    let isDead = false;
    let isOver = false;
    let hasSlow = false;
    let allowed = 0;
    let isIdle = false;
    const fates: Fate[] = [];
    let wake: () => void = () => {};
    let inner: PartitionReader | null = null;
    await log.subscribe({
      group: 'story',
      partitions: [partition],
      startAt: async () => head.position,
      onAssigned: (reader) => {
        inner = reader;
      },
      onRevoked: () => {},
    });

    const reader: PartitionReader = {
      partition,
      async next(limit) {
        while (allowed <= 0 && !isIdle && !isDead)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        if (isDead || isIdle || inner === null) {
          isIdle = false;
          return [];
        }
        const records = await inner.next(Math.min(limit, allowed), 0);
        allowed = records.length === 0 ? 0 : allowed - records.length;
        return records;
      },
    };

    async function commit(partition: number, commit: Commit): Promise<CommitOutcome> {
      if (isDead) return never();
      const fate = fates.shift() ?? 'arrives';
      counts.commits += 1;
      if (fate === 'is slow' || hasSlow) {
        hasSlow = true;
        return new Promise((resolve, reject) => {
          slow[partition]?.push(async () => {
            hasSlow = false;
            await store.commit(partition, commit).then(resolve, reject);
          });
        });
      }
      if (fate === 'dies before') return vanish();
      if (fate === 'is lost') throw unavailable();
      const outcome = await store.commit(partition, commit);
      if (fate === 'dies after') return vanish();
      if (fate === 'reply is lost') throw unavailable();
      return outcome;
    }

    const vanish = (): Promise<never> => {
      isDead = true;
      return never();
    };
    /** The dead neither read nor write. */
    const alive =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      (...args: A): Promise<R> =>
        isDead ? never() : call(...args);
    const mine: StateStore = {
      ...store,
      load: alive(store.load),
      earliestTimers: alive(store.earliestTimers),
      partitionState: alive(store.partitionState),
      commit,
    };
    const parts = {
      workspace: { ...workspace, stateTtlMs: setup.ttlMs },
      features,
      scorers,
      ...(engines === undefined ? {} : { engines }),
      clock,
      partitions,
      log: { ...log, append: alive(log.append) },
      store: mine,
      metrics,
      logger: silentLogger(),
      newId: () => `c${counts.lives}-${counts.commits}-${Math.random()}`,
      timersPage: setup.page,
      timersPerBatch: setup.timers,
      batchRecords: setup.batch,
      cacheLimits: { subjects: setup.cached, bytes: 1e9 },
    };
    void runPartition(parts, {
      reader,
      head,
      progress: makeProgress(head.position),
      isActive: () => !isDead && !isOver,
      onProgress: () => {},
      onFailure: () => {
        isOver = true;
        wake();
      },
    }).catch((error: unknown) => {
      isOver = true;
      const code = error instanceof PresageError ? error.code : '';
      if (code === 'fenced') counts.fenced += 1;
      // An old one may find what it would read next trimmed; a new one that did would not get on.
      else if (code !== 'state_unavailable' && code !== 'log_position_lost') unexpected ??= error;
    });
    return {
      allow(records, fate) {
        allowed += records;
        if (records === 0) isIdle = true;
        fates.length = 0;
        if (fate !== 'arrives') fates.push(fate);
        wake();
      },
      die() {
        isDead = true;
        wake();
      },
      isOver: () => isDead || isOver,
    };
  }

  async function living(partition: number): Promise<Life[]> {
    const mine = (lives[partition] ?? []).filter((life) => !life.isOver());
    if (mine.length === 0) mine.push(await begin(partition));
    lives[partition] = mine;
    return mine;
  }

  /** At most so many records (0: looks whether a tick is due) by the newest worker, or by the one before it. */
  async function work(partition: number, records: number, fate: Fate, isOld: boolean): Promise<void> {
    const mine = await living(partition);
    (isOld ? mine[0] : mine.at(-1))?.allow(records, fate);
    await turn();
  }

  async function relay(partition: number, limit: number, dies: boolean): Promise<boolean> {
    const position = relayed[partition] ?? 0;
    const { end } = await store.outboxRange(partition);
    if (position >= end) return false;
    const entries = await store.readOutbox(partition, position, limit, 0);
    const moves = entries.filter(({ kind }) => kind === 'transfer' || kind === 'forward');
    await log.append(moves.map((entry) => recordOf(entry, partitions)));
    if (!dies) relayed[partition] = position + entries.length;
    return true;
  }

  async function takeOver(partition: number): Promise<void> {
    const mine = await living(partition);
    lives[partition] = [...mine.slice(-1), await begin(partition)];
    await turn();
  }

  async function deliver(partition: number): Promise<void> {
    for (const one of slow[partition]?.splice(0) ?? []) await one();
    await turn();
  }

  async function catchUp(): Promise<void> {
    for (let isBusy = true, rounds = 0; isBusy; rounds++) {
      if (rounds > 200) throw new Error('The workers do not get on.');
      isBusy = false;
      for (let partition = 0; partition < partitions; partition++) {
        const { end } = await memory.range(partition);
        if ((await store.head(partition)).position < end) {
          isBusy = true;
          await deliver(partition);
          await work(partition, 1_000, 'arrives', false);
        }
        while (await relay(partition, 1_000, false)) isBusy = true;
      }
    }
  }

  return {
    clock,
    store,
    log: memory,
    appended,
    counts,
    work,
    relay,
    takeOver,
    deliver,
    send: (records: readonly NewRecord[]) => log.append(records),
    die: (partition: number) => {
      for (const life of lives[partition] ?? []) life.die();
    },
    rewindRelay: (partition: number, entries: number) => {
      relayed[partition] = Math.max(0, (relayed[partition] ?? 0) - entries);
    },
    /** Everybody does what there is to do; then time passes until nobody waits for anything. */
    async finish(): Promise<void> {
      for (let partition = 0; partition < partitions; partition++) await deliver(partition);
      await catchUp();
      for (let quiet = 0; quiet < 2; ) {
        const before = appended.length;
        clock.set(clock.now() + 600_000);
        for (let partition = 0; partition < partitions; partition++) {
          // The look comes before the next reading.
          for (let looks = 0; looks < 2; looks++) await work(partition, 0, 'arrives', false);
        }
        await catchUp();
        quiet = appended.length === before ? quiet + 1 : 0;
      }
      if (unexpected !== null) throw unexpected;
    },
    async outbox(partition: number): Promise<OutboxEntry[]> {
      const { end } = await store.outboxRange(partition);
      return (await store.readOutbox(partition, 0, end, 0)).map(readOutboxEntry);
    },
  };
}

export type World = ReturnType<typeof makeWorld>;

/** Everything that can go on without being told to has gone on: stores and logs in memory take no time. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
export const never = (): Promise<never> => new Promise(() => {});
export const unavailable = () =>
  new PresageError('state_unavailable', 'The store did not answer.', { retriable: true });
