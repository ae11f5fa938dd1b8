import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Clock,
  contentId,
  type Health,
  type Logger,
  messageOf,
  PresageError,
  type Role,
} from '../../core/index.ts';
import type { BuildStatus, Builds } from '../../gateway/index.ts';
import { type StoredEvent, systemTypes } from '../../schemas/index.ts';
import { decodePartitionState } from '../../stream/index.ts';
import type { EventLog } from '../../stream/log/index.ts';
import {
  completeMoved,
  type EventHistory,
  makePace,
  makeShadowProgress,
  runShadow,
  type ShadowProgress,
} from '../../stream/rebuild/index.ts';
import type { StateStore } from '../../stream/state/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { type LoadedEngine, learnLayouts, readWorkspace } from './engine.ts';
import type { RunningEngines } from './engines.ts';
import { type BuildPlan, changesBetween, readBuilds, saveBuilds, saveSource } from './plan.ts';
import { noteWhole } from './whole.ts';

export interface BuilderParts {
  readonly log: EventLog;
  readonly store: StateStore;
  readonly history: EventHistory;
  readonly engines: RunningEngines;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly load: (workspace: CompiledWorkspace) => Promise<LoadedEngine>;
  readonly logVersion: () => number;
  /** Removes what was kept of models but of these workspaces. */
  readonly forgetModels?: (hashes: readonly string[]) => Promise<void>;
  /** Text of the workspace that the program was started with. */
  readonly text: string;
  /** A build that was under way when the program ended. */
  readonly resume: { readonly plan: BuildPlan; readonly engine: LoadedEngine } | null;
}

export interface Builder {
  readonly role: Role;
  readonly builds: Builds;
  /** The log must keep a partition's records from here on; null: no build needs them. */
  needs(partition: number): number | null;
}

type Asked = Parameters<Builds['begin']>[0];
type Answer = Awaited<ReturnType<Builds['begin']>>;

interface Build {
  readonly plan: BuildPlan;
  readonly shadows: Map<number, ShadowProgress>;
  /** By partition: how often the shadow had been refused when it was last asked to come into force. */
  readonly asked: Map<number, number>;
}

const lookEveryMs = 50;
/** Waited for in vain: a shadow makes a transfer complete before it goes on. */
const patienceMs = 60_000;

/**
 * The builder role: one generation of state at a time is made beside the one in force, in all partitions or some, and
 * then put in force, partition by partition, by an event of the log. What it does is written down before it begins, so a
 * program that is started again goes on with it.
 */
export function makeBuilder(parts: BuilderParts): Builder {
  const { store, log, engines, clock } = parts;
  const logger = parts.logger.child({ role: 'builder' });
  let stopping = new AbortController();
  let current: Build | null = null;
  let running: Promise<void> = Promise.resolve();
  let last: BuildStatus['last'] = null;
  let health: Health = { state: 'starting', why: 'not started yet' };

  const texts = new Map([[engines.current().workspace.hash, parts.text]]);

  /** One after the other: of two that ask at once, the second finds what the first has begun. */
  let asking: Promise<unknown> = Promise.resolve();
  function ask(asked: Asked): Promise<Answer> {
    const answer = asking.then(() => answerTo(asked));
    asking = answer.catch(() => {});
    return answer;
  }

  async function answerTo(asked: Asked): Promise<Answer> {
    const inForce = engines.current();
    const { workspace, text } =
      asked.kind === 'features'
        ? await readWorkspace(inForce.workspace.folder)
        : { workspace: inForce.workspace, text: texts.get(inForce.workspace.hash) ?? '' };
    const changes = changesBetween(inForce.workspace, workspace);
    const isNothing = asked.kind === 'features' && !changes.isOther;
    if (asked.dryRun) return { changes, begun: false };
    if (current !== null) {
      if (isSame(current.plan, asked, workspace)) return { changes, begun: false };
      throw busy(current.plan, asked);
    }
    if (isNothing) return { changes, begun: false };
    if (stopping.signal.aborted)
      throw new PresageError('stopping', 'Presage is being stopped.', { retriable: true });
    const partitions =
      asked.partition === null
        ? Array.from({ length: log.partitions }, (_, partition) => partition)
        : [asked.partition];
    if (partitions.some((partition) => partition >= log.partitions))
      throw new PresageError('usage', `There are partitions 0 to ${log.partitions - 1}.`);
    const engine = asked.kind === 'features' ? await parts.load(workspace) : inForce;
    const heads = await Promise.all(partitions.map((partition) => store.head(partition)));
    const { last: given } = await readBuilds(store);
    const generation = Math.max(given, ...heads.map((head) => head.generation)) + 1;
    const plan: BuildPlan = {
      generation,
      kind: asked.kind === 'features' && changes.isStateSame ? 'workspace' : asked.kind,
      from: asked.from,
      workspace: workspace.hash,
      before: inForce.workspace.hash,
      partitions,
      replaces: partitions.map((partition, index) => [partition, heads[index]?.generation ?? 0]),
      startedAt: clock.now(),
    };
    texts.set(workspace.hash, text);
    for (const { hash } of [inForce.workspace, workspace])
      await saveSource(store, hash, texts.get(hash) ?? '');
    learnLayouts(inForce, engine);
    await saveBuilds(store, { last: generation, plan });
    begin(plan, engine);
    return { changes, begun: true };
  }

  function begin(plan: BuildPlan, engine: LoadedEngine): void {
    if (plan.kind === 'workspace') engines.offer(engine);
    else engines.pin(plan.generation, engine);
    const build: Build = {
      plan,
      shadows: new Map(plan.partitions.map((partition) => [partition, makeShadowProgress()])),
      asked: new Map(),
    };
    current = build;
    const { signal } = stopping;
    const work = plan.kind === 'workspace' ? changeOver : run;
    running = work(build, engine, signal).catch((error: unknown) => {
      if (!signal.aborted) health = { state: 'degraded', why: messageOf(error) };
    });
  }

  async function run(build: Build, engine: LoadedEngine, signal: AbortSignal): Promise<void> {
    const { plan, shadows } = build;
    logger.info({ generation: plan.generation, kind: plan.kind, from: plan.from }, 'Building state anew');
    const { features } = engine;
    const pace = makePace({ clock, pause });
    const moved = completeMoved({
      features,
      history: parts.history,
      logger,
      patienceMs,
      pause: (ms) => pause(ms, signal),
    });
    const all = Promise.all(
      [...shadows].map(([partition, progress]) =>
        runShadow(
          {
            ...engine,
            completeMoved: moved,
            log,
            store,
            clock,
            logger,
            pace,
            pause,
            handover: engines.handover,
            reported: parts.history.end,
            newId: randomUUID,
            partitions: log.partitions,
            logVersion: parts.logVersion(),
            generation: plan.generation,
            history: plan.from === 'events' ? parts.history : null,
          },
          partition,
          progress,
          signal,
        ),
      ),
    );
    while (!signal.aborted && [...shadows.values()].some(({ phase }) => phase !== 'in force')) {
      try {
        await askToSwitch(build);
      } catch (error) {
        logger.warn({ err: messageOf(error) }, 'What is built cannot be put in force yet');
      }
      await pause(lookEveryMs, signal);
    }
    await all;
    if (signal.aborted) return;
    engines.settle(engine);
    if (plan.partitions.length === log.partitions)
      await insist(signal, () => noteWhole(store, engine.workspace));
    for (const [partition, generation] of plan.replaces)
      await insist(signal, () => store.forgetGeneration(partition, generation));
    await ended(plan, signal);
  }

  /** Another workspace on the state that there is: each partition is told where to go on with it. */
  async function changeOver(
    { plan, shadows }: Build,
    engine: LoadedEngine,
    signal: AbortSignal,
  ): Promise<void> {
    logger.info({ workspace: plan.workspace }, 'Taking another workspace into use');
    const told = new Set<number>();
    while (!signal.aborted) {
      try {
        for (const [partition, progress] of shadows) {
          const { workspace } = decodePartitionState(await store.partitionState(partition));
          if (workspace === plan.workspace) progress.phase = 'in force';
          else if (!told.has(partition)) {
            await log.append([activation(plan, partition)]);
            told.add(partition);
          }
        }
      } catch (error) {
        logger.warn({ err: messageOf(error) }, 'The other workspace cannot be put in force yet');
      }
      if ([...shadows.values()].every(({ phase }) => phase === 'in force')) break;
      await pause(lookEveryMs, signal);
    }
    if (signal.aborted) return;
    engines.settle(engine);
    await ended(plan, signal);
  }

  async function ended(plan: BuildPlan, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await insist(signal, () => saveBuilds(store, { last: plan.generation, plan: null }));
    for (const hash of new Set([plan.before, plan.workspace]))
      await insist(signal, () => saveSource(store, hash, ''));
    // What stays behind is removed at the next start.
    await parts.forgetModels?.([plan.workspace]).catch(() => {});
    if (signal.aborted) return;
    last = { generation: plan.generation, kind: plan.kind, seconds: (clock.now() - plan.startedAt) / 1_000 };
    current = null;
    logger.info({ generation: plan.generation }, 'The state that was built is in force');
  }

  /** Until it is done, or the program is stopped. */
  async function insist(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof PresageError) || !error.retriable) throw error;
        await pause(500, signal);
      }
    }
  }

  /** Once all have what the log has, each partition is told where to change over. */
  async function askToSwitch({ plan, shadows, asked }: Build): Promise<void> {
    if (![...shadows.values()].every(({ phase, isCaughtUp }) => phase === 'in force' || isCaughtUp)) return;
    for (const [partition, { phase, refused }] of shadows) {
      if (phase === 'in force') continue;
      if (await isLost(partition)) await force(plan, partition);
      else if (asked.get(partition) !== refused) {
        await log.append([activation(plan, partition)]);
        asked.set(partition, refused);
      }
    }
  }

  /** The worker stands still there: its position is not in the log any more. */
  async function isLost(partition: number): Promise<boolean> {
    const [{ position }, { start, end }] = await Promise.all([store.head(partition), log.range(partition)]);
    return position < start || position > end;
  }

  /** Nobody reads the log there who could change over: done from here. */
  async function force(plan: BuildPlan, partition: number): Promise<void> {
    const shadow = store.shadow(plan.generation);
    const [own, built, partitionState] = await Promise.all([
      store.head(partition),
      shadow.head(partition),
      shadow.partitionState(partition),
    ]);
    if (own.generation >= plan.generation) return;
    // What it has and nobody was told of would be missing from the tables.
    if (built.position > (parts.history.end(partition) ?? built.position)) return;
    await store.commit(partition, {
      previous: own.commitId,
      id: randomUUID(),
      position: built.position,
      blobs: [],
      partitionState,
      outbox: [],
      generation: own.generation,
      activate: plan.generation,
    });
  }

  function activation(plan: BuildPlan, partition: number) {
    const next = engines.of(plan.generation, plan.workspace);
    const tenant = [...(next?.workspace.tenants.keys() ?? [])].find((name) =>
      engines.current().workspace.tenants.has(name),
    );
    const event: StoredEvent = {
      v: 1,
      id: contentId('activate', String(plan.generation), String(partition), randomUUID()),
      tenant: tenant ?? '',
      type: systemTypes.control,
      anonymousId: 'engine',
      time: clock.now(),
      properties:
        plan.kind === 'workspace'
          ? { control: 'use', by: 'presage apply', workspace: plan.workspace }
          : {
              control: 'activate',
              by: `presage ${plan.kind === 'rebuild' ? 'rebuild' : 'apply'}`,
              generation: plan.generation,
              workspace: plan.workspace,
            },
      source: 'engine',
    };
    return { partition, key: 'engine', value: Buffer.from(JSON.stringify(event)) };
  }

  async function status(): Promise<BuildStatus> {
    if (current === null) return { build: null, last };
    const { plan, shadows } = current;
    const partitions = await Promise.all(
      [...shadows].map(async ([partition, { phase, position, trouble }]) => ({
        partition,
        phase,
        position,
        end: (await log.range(partition)).end,
        trouble,
      })),
    );
    return { build: { generation: plan.generation, kind: plan.kind, from: plan.from, partitions }, last };
  }

  return {
    builds: { begin: ask, status },
    needs: (partition) => current?.shadows.get(partition)?.needs ?? null,
    role: {
      name: 'builder',
      start: async () => {
        stopping = new AbortController();
        health = { state: 'ok' };
        if (parts.resume !== null) begin(parts.resume.plan, parts.resume.engine);
      },
      stop: async () => {
        stopping.abort();
        await running;
        health = { state: 'down', why: 'stopped' };
      },
      health: () => health,
    },
  };

  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    await wait(ms, undefined, { signal }).catch(() => {});
  }
}

/** Whether what is asked for is what is being built already: then it is only watched. */
function isSame(plan: BuildPlan, asked: Asked, workspace: CompiledWorkspace): boolean {
  const isRebuild = plan.kind === 'rebuild';
  if (isRebuild !== (asked.kind === 'rebuild')) return false;
  if (!isRebuild) return plan.workspace === workspace.hash;
  return plan.from === asked.from && (asked.partition === null || plan.partitions.includes(asked.partition));
}

function busy(plan: BuildPlan, asked: Asked): PresageError {
  const running = plan.kind === 'rebuild' ? 'presage rebuild' : 'presage apply';
  const isApply = plan.kind !== 'rebuild' && asked.kind === 'features';
  const what = isApply
    ? 'a workspace that is not the one on disk now'
    : `${plan.partitions.length === 1 ? `partition ${plan.partitions[0]}` : 'all partitions'} for ${running}`;
  return new PresageError(
    'build_running',
    `Generation ${plan.generation} is being built, with ${what}. It goes on; ask again once it is in force (GET /api/builds says how far it is).`,
    { retriable: true, details: { generation: plan.generation, kind: plan.kind } },
  );
}
