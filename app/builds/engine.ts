import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock, Logger } from '../../core/index.ts';
import { loadScorers, type ScorerMetrics, type Scorers } from '../../scorers/index.ts';
import { type FeatureSet, makeFeatureSet } from '../../stream/features/index.ts';
import type { Engine } from '../../stream/index.ts';
import { completeMoved, type EventHistory } from '../../stream/rebuild/index.ts';
import {
  makeSharedSnapshots,
  type SharedMetrics,
  type SharedSnapshots,
  sharedGroups,
} from '../../stream/shared/index.ts';
import type { StateStore } from '../../stream/state/index.ts';
import { type CompiledWorkspace, loadWorkspace, workspaceFile } from '../../workspace/index.ts';

/** A workspace with all that runs it. */
export interface LoadedEngine extends Engine {
  readonly workspace: CompiledWorkspace;
  readonly features: FeatureSet;
  readonly scorers: Scorers;
}

export interface EngineParts {
  readonly store: StateStore;
  readonly history: EventHistory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ScorerMetrics;
  readonly sharedMetrics: SharedMetrics;
  readonly partitions: number;
  /** Registers schemas of a workspace's events, where a schema registry is named. */
  readonly registerSchemas: (workspace: CompiledWorkspace) => Promise<void>;
  /** The log's first position. */
  readonly base: number;
}

/** How long a partition may wait for ClickHouse when what an anonymous id had must be completed. */
const patienceMs = 5_000;

/** Throws what loading models does, and what the schema registry does: it may refuse a workspace. */
export async function loadEngine(workspace: CompiledWorkspace, parts: EngineParts): Promise<LoadedEngine> {
  const { store, clock, logger, metrics } = parts;
  await parts.registerSchemas(workspace);
  const features = makeFeatureSet(workspace);
  for (const layout of await store.layouts()) features.learnLayout(layout);
  await store.saveLayout(features.layout, features.layoutDescription);
  const scorers = await loadScorers(workspace, { clock, logger, metrics });
  try {
    return await withHistory({ workspace, features, scorers }, parts);
  } catch (error) {
    await scorers.close();
    throw error;
  }
}

/** Snapshots of what subjects share, for a workspace that has such features. */
async function sharedOf(
  workspace: CompiledWorkspace,
  { store, clock, logger, partitions, base, sharedMetrics }: EngineParts,
): Promise<SharedSnapshots | undefined> {
  const groups = sharedGroups(workspace);
  if (groups.length === 0) return undefined;
  for (const { features } of groups) {
    for (const layout of await store.layouts()) features.learnLayout(layout);
    await store.saveLayout(features.layout, features.layoutDescription);
  }
  return makeSharedSnapshots({
    workspace,
    groups,
    store,
    partitions,
    base,
    logger: logger.child({ role: 'shared features' }),
    clock,
    onMissed: (feature) => sharedMetrics.missedReads.inc({ feature }),
  });
}

/** With what needs the store and the event table. */
export async function withHistory(
  engine: Pick<LoadedEngine, 'workspace' | 'features' | 'scorers'>,
  parts: EngineParts,
): Promise<LoadedEngine> {
  const { features, workspace } = engine;
  const { history, logger } = parts;
  return {
    ...engine,
    shared: await sharedOf(workspace, parts),
    completeMoved: completeMoved({ features, history, logger, patienceMs, pause: (ms) => pause(ms) }),
  };
}

/** A folder's workspace and the text that it is made of. Throws what `loadWorkspace` does. */
export async function readWorkspace(
  folder: string,
): Promise<{ readonly workspace: CompiledWorkspace; readonly text: string }> {
  const file = join(folder, workspaceFile);
  const text = await readFile(file, 'utf8').catch(() => null);
  // What is wrong with a file that cannot be read, it words itself.
  const workspace = await loadWorkspace(folder, text ?? undefined);
  return { workspace, text: text ?? (await readFile(file, 'utf8')) };
}

/** Makes state that `next` writes readable for what runs now. */
export function learnLayouts(running: LoadedEngine, next: LoadedEngine): void {
  running.features.learnLayout(next.features.layoutDescription);
  for (const { features } of running.shared?.groups ?? [])
    for (const other of next.shared?.groups ?? []) features.learnLayout(other.features.layoutDescription);
}
