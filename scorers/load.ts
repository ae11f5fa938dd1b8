import { type Clock, type Logger, messageOf } from '../core/index.ts';
import type { CompiledWorkspace } from '../workspace/index.ts';
import type { ScorerMetrics } from './metrics.ts';
import { loadScorer } from './onnx.ts';
import type { Scorer, Scorers } from './port.ts';

export interface ScorerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ScorerMetrics;
}

/**
 * Loads every model of a workspace and tries it once. Throws PresageError `model_unusable` for the first that cannot
 * be used, with nothing left loaded.
 */
export async function loadScorers(workspace: CompiledWorkspace, options: ScorerOptions): Promise<Scorers> {
  const scorers = new Map<string, Scorer>();
  const close = async () => {
    await Promise.all([...scorers.values()].map((scorer) => scorer.close()));
  };
  try {
    for (const model of workspace.models.values()) {
      const begun = options.clock.monotonic();
      scorers.set(model.id, observed(await loadScorer(model), options));
      const ms = Math.round(options.clock.monotonic() - begun);
      options.logger.info(
        { model: model.id, version: model.version, sha256: model.sha256, ms },
        'model loaded',
      );
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { get: (modelId) => scorers.get(modelId), close };
}

/** A model that fails does so many times a second; a line a minute says it. */
const quietMs = 60_000;

function observed(scorer: Scorer, { clock, logger, metrics }: ScorerOptions): Scorer {
  const { id } = scorer.model;
  const rows = metrics.rows.labels(id);
  const failures = metrics.failures.labels(id);
  const seconds = metrics.callSeconds.labels(id);
  let saidAt = Number.NEGATIVE_INFINITY;
  return {
    model: scorer.model,
    async score(values, count) {
      const begun = clock.monotonic();
      try {
        const scores = await scorer.score(values, count);
        rows.inc(count);
        return scores;
      } catch (error) {
        failures.inc();
        if (begun - saidAt >= quietMs) {
          saidAt = begun;
          logger.error({ model: id }, `${messageOf(error)} Rules decide meanwhile.`);
        }
        throw error;
      } finally {
        seconds.observe((clock.monotonic() - begun) / 1_000);
      }
    },
    close: () => scorer.close(),
  };
}
