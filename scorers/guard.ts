import { type Clock, type Logger, messageOf, PresageError, within } from '../core/index.ts';
import { type BreakerState, makeBreaker } from './breaker.ts';
import type { ScorerMetrics } from './metrics.ts';
import type { Scorer } from './port.ts';

export interface GuardParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ScorerMetrics;
  /**
   * The model is quick and runs in this process: it is late only where the whole process is, and then its answer is
   * there as soon as anything is. To give it up, or to ask it no more, would win nothing.
   */
  readonly isInline?: boolean;
}

/** A model that fails does so many times a second; a line a minute says it. */
const quietMs = 60_000;

const gaugeOf: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/** A scorer that answers in time or says that it does not, and is not asked while its breaker is open. */
export function guarded(scorer: Scorer, { clock, logger, metrics, isInline = false }: GuardParts): Scorer {
  const { model } = scorer;
  const rows = metrics.rows.labels(model.id);
  const seconds = metrics.callSeconds.labels(model.id);
  const state = metrics.breaker.labels(model.id);
  const breaker = makeBreaker(clock, undefined, (next) => {
    state.set(gaugeOf[next]);
    const told = { model: model.id, breaker: next };
    if (next === 'open') logger.warn(told, 'A model is not asked for a while, since it fails or is too slow');
    if (next === 'closed') logger.info(told, 'A model is asked again');
  });
  state.set(gaugeOf.closed);
  let saidAt = Number.NEGATIVE_INFINITY;

  function tell(error: unknown, at: number): void {
    const code = error instanceof PresageError ? error.code : 'scorer_failed';
    metrics.failures.inc({ model: model.id, reason: code });
    if (code !== 'scorer_failed' || at - saidAt < quietMs) return;
    saidAt = at;
    logger.error({ model: model.id }, `${messageOf(error)} A lower rung decides meanwhile.`);
  }

  return {
    model,
    async score(values, count, patienceMs = Number.POSITIVE_INFINITY) {
      const withinMs = isInline ? Number.POSITIVE_INFINITY : patienceMs;
      if (!breaker.mayCall()) {
        const refusal = refused(
          model.id,
          'breaker_open',
          'is not asked for now, since it failed or was slow',
        );
        tell(refusal, clock.monotonic());
        throw refusal;
      }
      const begun = clock.monotonic();
      try {
        const late = (): PresageError =>
          refused(model.id, 'timed_out', `did not answer within ${Math.round(withinMs)} ms`);
        const scores = await within(scorer.score(values, count, withinMs), withinMs, late);
        rows.inc(count);
        breaker.succeeded();
        return scores;
      } catch (error) {
        breaker.failed(clock.monotonic() - begun - withinMs);
        tell(error, begun);
        throw error;
      } finally {
        seconds.observe((clock.monotonic() - begun) / 1_000);
      }
    },
    close: () => scorer.close(),
  };
}

const refused = (id: string, code: string, why: string): PresageError =>
  new PresageError(code, `Model "${id}" ${why}.`, { details: { model: id } });
