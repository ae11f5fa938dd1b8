import { join } from 'node:path';
import { type Logger, messageOf, type Role } from '../../core/index.ts';
import { eventHistory, type Sink } from '../../sinks/clickhouse/index.ts';
import { sharedMetrics } from '../../stream/shared/index.ts';
import { loadWorkspace } from '../../workspace/index.ts';
import { type Builder, makeBuilder } from '../builds/builder.ts';
import {
  type EngineParts,
  type LoadedEngine,
  learnLayouts,
  loadEngine,
  readWorkspace,
  withHistory,
} from '../builds/engine.ts';
import { makeEngines, type RunningEngines } from '../builds/engines.ts';
import { keptModels } from '../builds/kept-models.ts';
import { type BuildPlan, readBuilds, readSource } from '../builds/plan.ts';
import { noteFeatures, noteWhole } from '../builds/whole.ts';
import type { DataFolder } from './data-folder.ts';
import type { Resources } from './resources.ts';

export interface WiredBuilds {
  readonly engines: RunningEngines;
  readonly builder: Builder;
  readonly sharing: Role;
  /** After the partitions have become others: what was made for those before is made for these. */
  repartitioned(): Promise<void>;
}

/** The workspaces in force and being built, and the role that builds. A build that was under way goes on. */
export async function wireBuilds(
  parts: Resources & {
    readonly workspace: LoadedEngine['workspace'];
    readonly logger: Logger;
    readonly folder: Pick<DataFolder, 'path'>;
  },
  sink: Sink,
): Promise<WiredBuilds> {
  const { log, store, clock, logger, workspace, features, scorers } = parts;
  const history = eventHistory({
    warehouse: parts.warehouse,
    end: (partition) => endOf(partition),
    versions: () => parts.divisions.kept().all,
  });
  /** All that partitions of before had is in ClickHouse: nothing of them was left when these began. */
  function endOf(partition: number): number | null {
    if (partition >= log.partitions) return parts.divisions.current().version.base;
    return sink.needed(partition)?.log ?? null;
  }
  let inForce: RunningEngines | null = null;
  const engineParts: EngineParts = {
    store,
    history,
    clock,
    logger,
    metrics: parts.scorerMetrics,
    sharedMetrics: sharedMetrics(parts.registry, () => inForce?.current().shared),
    get partitions() {
      return log.partitions;
    },
    get base() {
      return parts.divisions.current().version.base;
    },
    registerSchemas: parts.registerSchemas,
  };
  const own = await withHistory({ workspace, features, scorers }, engineParts);
  const { plan } = await readBuilds(store);
  const kept = keptModels(join(parts.folder.path, 'models'));
  await kept.forgetOthers([workspace.hash, ...(plan === null ? [] : [plan.before, plan.workspace])]);
  await kept.keep(workspace);

  /** As it was kept; the disk may say something else by now. */
  async function engineOf(hash: string): Promise<LoadedEngine> {
    if (hash === workspace.hash) return own;
    const text = await readSource(store, hash);
    if (text === null) throw new Error(`the workspace ${hash} was not kept`);
    const asKept = await loadWorkspace(workspace.folder, text, await kept.folderOf(hash));
    if (asKept.hash !== hash) throw new Error(`the models of workspace ${hash} were not kept`);
    return loadEngine(asKept, engineParts);
  }

  let first = own;
  let resume: { readonly plan: BuildPlan; readonly engine: LoadedEngine } | null = null;
  if (plan !== null) {
    try {
      first = await engineOf(plan.before);
      const engine = plan.before === plan.workspace ? first : await engineOf(plan.workspace);
      learnLayouts(first, engine);
      resume = { plan, engine };
    } catch (error) {
      logger.error(
        { generation: plan.generation, err: messageOf(error) },
        'Building state cannot go on: its workspace cannot be read. Run `presage rebuild`.',
      );
    }
  }
  // With a build under way they are told of when it is done.
  if (resume === null) await tellOfNew(parts, first);
  const engines = makeEngines(store, first);
  inForce = engines;
  // Pinned before the worker starts: partitions that have changed over already are at home in it.
  if (resume?.plan.kind === 'workspace') engines.offer(resume.engine);
  else if (resume !== null) engines.pin(resume.plan.generation, resume.engine);
  const builder = makeBuilder({
    log,
    store,
    history,
    engines,
    clock,
    logger,
    load: async (loaded) => {
      const engine = await loadEngine(loaded, engineParts);
      await kept.keep(loaded);
      return engine;
    },
    forgetModels: (hashes) => kept.forgetOthers(hashes),
    text: await textOf(store, first, own),
    resume,
    logVersion: () => parts.divisions.current().version.version,
  });
  return {
    engines,
    builder,
    sharing: engines.sharing,
    repartitioned: async () => engines.replace(await withHistory(engines.current(), engineParts)),
  };
}

async function textOf(store: Resources['store'], first: LoadedEngine, own: LoadedEngine): Promise<string> {
  const kept = await readSource(store, first.workspace.hash);
  return kept ?? (await readWorkspace(own.workspace.folder)).text;
}

/** A workspace that was changed on disk is taken as it is, but features are not whole without their history. */
async function tellOfNew(
  { store, log, clock, logger }: Resources & { readonly logger: Logger },
  { workspace }: LoadedEngine,
): Promise<void> {
  const heads = await Promise.all(Array.from({ length: log.partitions }, (_, index) => store.head(index)));
  if (heads.every(({ position }) => position === 0)) return noteWhole(store, workspace);
  const begun = await noteFeatures(store, workspace, clock.now());
  if (begun.length === 0) return;
  const names = begun.map(({ name }) => name);
  const since = new Date(Math.min(...begun.map((one) => one.since))).toISOString();
  logger.warn(
    { features: names, since },
    `Without their history, since they were added by a restart: ${names.join(', ')}. They count only what came after. Run \`presage rebuild\` to give it to them; \`presage apply\` takes a changed workspace with its history.`,
  );
}
