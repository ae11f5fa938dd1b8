import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import type { BatchReport, DeadLetter, DecisionRecord } from '../../../schemas/index.ts';
import { redisConnector } from '../../../stream/redis/index.ts';
import { redisState, type StateStore } from '../../../stream/state/index.ts';
import { type ChildProgram, childProgram } from '../../support/child.ts';
import { waitFor } from '../../support/program.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';
import { clock, consoleLogger, isCaughtUp, type Life, openLog } from './life.ts';

const workspace = fileURLToPath(new URL('../../workspaces/faults', import.meta.url));

/** What a run of the stream left behind: everything that must not depend on what was done to it. */
export interface Outcome {
  /** State blobs, caps and the index of timers by key, byte for byte. */
  readonly state: ReadonlyMap<string, string>;
  /** Content of each decision by id: all but timings, wall clock and commit sequence. */
  readonly decisions: ReadonlyMap<string, string>;
  /** Positions found repeated, dead and late, by partition, however they were batched. */
  readonly findings: string;
  /** How many decisions each trigger asked for. */
  readonly fired: ReadonlyMap<string, number>;
  readonly dead: ReadonlyMap<string, DeadLetter>;
  /** Entries that the reader wrote down more than once. */
  readonly readAgain: number;
  /** Entries that the reader had written down and that others have since taken the place of. */
  readonly rolledBack: number;
}

/** One Redis with the state, a log, and the worker processes on them. */
export interface Rig {
  readonly redis: TestRedis;
  readonly store: StateStore;
  /** Starts a worker process. */
  start(life?: Partial<Life>): ReturnType<ChildProgram['start']>;
  /**
   * What is in the log by now is processed by one more worker, which appends nothing: those that append ticks, as time
   * goes on, may never find an end.
   */
  drain(): Promise<void>;
  /** Until every partition has got further than it is now. */
  untilAllMove(withinMs?: number): Promise<void>;
  /** Until everything in the log is processed, and read from the outbox. */
  untilCaughtUp(): Promise<void>;
  outcome(): Promise<Outcome>;
  stop(): Promise<void>;
}

export interface RigOptions {
  readonly program: ChildProgram;
  readonly partitions: number;
  readonly kafka: Life['kafka'];
  readonly batchRecords?: number;
  readonly sessionMs?: number;
  readonly fsync?: 'always' | 'everysec';
}

export const workerProgram = (): Promise<ChildProgram> =>
  childProgram(new URL('./worker.child.fixture.ts', import.meta.url));

export async function makeRig(options: RigOptions): Promise<Rig> {
  const { program, partitions, kafka } = options;
  const folder = await mkdtemp(join(tmpdir(), 'presage-faults-'));
  const redis = await startTestRedis({ maxmemoryMb: 1_024, fsync: options.fsync ?? 'always' });
  const store = redisState({ connector: redisConnector(redis.url), version: 1, clock });
  const base: Life = {
    redis: redis.url,
    kafka,
    partitions,
    sessionMs: options.sessionMs ?? 1_000,
    workspace,
    outFile: join(folder, 'read.jsonl'),
    batchRecords: options.batchRecords ?? 200,
    ticks: false,
    untilDone: true,
    dieAt: null,
  };
  const heads = (): Promise<number[]> =>
    Promise.all(
      Array.from({ length: partitions }, async (_, partition) => (await store.head(partition)).position),
    );
  return {
    redis,
    store,
    start: (life = {}) => program.start(JSON.stringify({ ...base, ...life })),
    async drain() {
      const { how, output } = await program.start(JSON.stringify(base)).ended;
      if (how !== 'exit 0') throw new Error(`The last worker ended with ${how}: ${output}`);
    },
    async untilAllMove(withinMs = 120_000) {
      const before = await heads();
      await waitFor(
        'every partition to move',
        async () => (await heads()).every((position, partition) => position > (before[partition] ?? 0)),
        withinMs,
      );
    },
    async untilCaughtUp() {
      const log = await openLog(base, clock, consoleLogger());
      try {
        await waitFor('everything to be processed', () => isCaughtUp(log, store), 120_000);
      } finally {
        await log.close();
      }
    },
    outcome: () => outcomeOf(redis.url, base.outFile),
    async stop() {
      await store.close();
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

type ReadEntry = { partition: number; offset: number; mark: string } & (
  | { kind: 'batch'; batch: BatchReport }
  | { kind: 'dead'; dead: DeadLetter }
  | { kind: 'decision'; decision: DecisionRecord }
);

async function outcomeOf(url: string, file: string): Promise<Outcome> {
  const decisions = new Map<string, string>();
  const dead = new Map<string, DeadLetter>();
  const fired = new Map<string, number>();
  const found = new Set<string>();
  const seen = new Map<string, string>();
  let readAgain = 0;
  let rolledBack = 0;
  // Line by line: after many kills the file is longer than a string may be.
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const entry = parsed(line);
    if (entry === null) continue;
    const place = `${entry.partition}/${entry.offset}`;
    const before = seen.get(place);
    if (before === entry.mark) readAgain++;
    else if (before !== undefined) rolledBack++;
    seen.set(place, entry.mark);
    switch (entry.kind) {
      case 'decision':
        decisions.set(entry.decision.id, contentOf(entry.decision));
        break;
      case 'dead':
        dead.set(`${entry.dead.partition}/${entry.dead.position}`, entry.dead);
        break;
      case 'batch':
        for (const position of entry.batch.duplicates) found.add(`${entry.partition}/${position} repeated`);
        for (const position of entry.batch.dead) found.add(`${entry.partition}/${position} dead`);
        for (const [position, ms] of entry.batch.late) found.add(`${entry.partition}/${position} late ${ms}`);
    }
  }
  for (const text of decisions.values()) {
    const { startedBy } = JSON.parse(text) as DecisionRecord;
    const trigger = startedBy.kind === 'request' ? 'request' : startedBy.trigger;
    fired.set(trigger, (fired.get(trigger) ?? 0) + 1);
  }
  return {
    state: await stateIn(url),
    decisions,
    findings: [...found].sort().join('\n'),
    dead,
    fired,
    readAgain,
    rolledBack,
  };
}

/** The last line is cut short where the process was killed while it wrote. */
function parsed(line: string): ReadEntry | null {
  try {
    return JSON.parse(line) as ReadEntry;
  } catch {
    return null;
  }
}

export const contentOf = ({ timings: _timings, ...content }: DecisionRecord): string =>
  JSON.stringify(content);

async function stateIn(url: string): Promise<Map<string, string>> {
  const redis = new Redis(url);
  const state = new Map<string, string>();
  for (const kind of ['state', 'cap', 'timers']) {
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', `{events.v*}:${kind}:*`, 'COUNT', 1_000);
      cursor = next;
      for (const key of keys) state.set(key, await bytesOf(redis, kind, key));
    } while (cursor !== '0');
  }
  redis.disconnect();
  return state;
}

async function bytesOf(redis: Redis, kind: string, key: string): Promise<string> {
  if (kind === 'state') return (await redis.getBuffer(key))?.toString('base64') ?? '';
  if (kind === 'timers') return JSON.stringify(await redis.zrange(key, '0', '-1', 'WITHSCORES'));
  const fields = Object.entries(await redis.hgetall(key)).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(fields);
}
