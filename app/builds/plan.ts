import { z } from 'zod';
import type { StateStore } from '../../stream/state/index.ts';
import { type CompiledWorkspace, canonicalJson } from '../../workspace/index.ts';

const plan = z.object({
  generation: z.number().int().positive(),
  /** workspace: another one on the state that there is. */
  kind: z.enum(['features', 'rebuild', 'workspace']),
  from: z.enum(['events', 'log']),
  /** Hash of the workspace that it is built with, and of the one in force meanwhile. */
  workspace: z.string(),
  before: z.string(),
  partitions: z.array(z.number().int().nonnegative()),
  /** By partition: the generation that it takes the place of. */
  replaces: z.array(z.tuple([z.number().int(), z.number().int()])),
  startedAt: z.number(),
});
export type BuildPlan = z.infer<typeof plan>;

const kept = z.object({ last: z.number().int().nonnegative(), plan: plan.nullable() });
export type KeptBuilds = z.infer<typeof kept>;

/** Among the readers of the first partition, which may be written above maxmemory. */
const place = { partition: 0, plan: 'builds', workspace: 'workspace:' } as const;

/** The generation given out last, and the build that is not done yet. */
export async function readBuilds(store: StateStore): Promise<KeptBuilds> {
  const text = await store.readerState(place.partition, place.plan);
  return text === null ? { last: 0, plan: null } : kept.parse(JSON.parse(text));
}

export const saveBuilds = (store: StateStore, builds: KeptBuilds): Promise<void> =>
  store.saveReaderState(place.partition, place.plan, JSON.stringify(builds));

/** Sources are kept while a build needs them, so that what was begun does not depend on what the disk says later. */
export const saveSource = (store: StateStore, hash: string, text: string): Promise<void> =>
  store.saveReaderState(place.partition, place.workspace + hash, text);

export async function readSource(store: StateStore, hash: string): Promise<string | null> {
  return (await store.readerState(place.partition, place.workspace + hash)) || null;
}

export interface Changes {
  /** Features that the state in force has not got, and those that it has and nobody wants any more. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** Whether anything at all of the workspace is another. */
  readonly isOther: boolean;
  /** Whether the state in force is what the other one would have too: only models are others. */
  readonly isStateSame: boolean;
}

export function changesBetween(before: CompiledWorkspace, after: CompiledWorkspace): Changes {
  const missing = (from: CompiledWorkspace, other: CompiledWorkspace): string[] => {
    const hashes = new Set(other.features.map(({ hash }) => hash));
    return from.features.filter(({ hash }) => !hashes.has(hash)).map(({ name }) => name);
  };
  return {
    added: missing(after, before),
    removed: missing(before, after),
    isOther: before.hash !== after.hash,
    isStateSame: stateOf(before) === stateOf(after),
  };
}

/** All of a workspace but its models and who asks them. */
function stateOf({ source }: CompiledWorkspace): string {
  const placements = Object.entries(source.placements).map(([name, placement]) => {
    const { model: _model, fallback: _fallback, shadows: _shadows, ...rest } = placement;
    return [name, rest];
  });
  const { models: _models, scoring: _scoring, ...rest } = source;
  return canonicalJson({ ...rest, placements });
}
