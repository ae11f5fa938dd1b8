import type { CompiledModel, CompiledWorkspace } from '../workspace/index.ts';
import { batched } from './batching.ts';
import { type GuardParts, guarded } from './guard.ts';
import { placeModel } from './place.ts';
import type { Scorer, Scorers } from './port.ts';
import { type ProcessLimits, processLimits } from './process-runtime.ts';

export interface ScorerOptions extends Omit<GuardParts, 'isInline'> {
  /** What a model may take while it is tried, if not the usual. */
  readonly limits?: ProcessLimits | undefined;
}

/**
 * Loads every model of a workspace and tries it once. Throws PresageError `model_unusable` for the first that cannot
 * be used, with nothing left loaded.
 */
export async function loadScorers(
  workspace: Pick<CompiledWorkspace, 'models'>,
  options: ScorerOptions,
): Promise<Scorers> {
  const scorers = new Map<string, Scorer>();
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= Promise.all([...scorers.values()].map((scorer) => scorer.close())).then(() => {});
    return closing;
  };
  try {
    for (const model of workspace.models.values()) scorers.set(model.id, await load(model, options));
  } catch (error) {
    await close();
    throw error;
  }
  return { get: (modelId) => scorers.get(modelId), close };
}

async function load(model: CompiledModel, options: ScorerOptions): Promise<Scorer> {
  const { clock, logger, metrics, limits = processLimits } = options;
  const begun = clock.monotonic();
  const { scorer, runs, blockMs, quantised } = await placeModel(model, limits);
  const { id, version } = model;
  const ms = Math.round(clock.monotonic() - begun);
  const { sha256 } = scorer.model;
  logger.info({ model: id, version, sha256, runs, blockMs, quantised, ms }, 'model loaded');
  if (runs === 'process') metrics.processes.inc();
  let isClosed = false;
  const shared = guarded(batched(scorer, clock), { ...options, isInline: runs === 'inline' });
  return {
    ...shared,
    async close() {
      if (runs === 'process' && !isClosed) metrics.processes.dec();
      isClosed = true;
      await shared.close();
    },
  };
}
