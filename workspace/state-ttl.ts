import type { Compiling } from './compile-context.ts';
import type { CompiledFeature, CompiledTrigger } from './compiled.ts';
import { durationMs } from './duration.ts';

const day = 86_400_000;
/** Without `state.ttl` a subject is remembered this long after its last event, or longer where something looks back further. */
export const defaultTtlMs = 365 * day;
/** Any longer and times would no longer fit where they are kept. */
export const mostTtlDays = 36_500;

/** Silence after which a subject is forgotten, in event time. */
export function stateTtlMs(
  { source, report }: Compiling,
  features: readonly CompiledFeature[],
  triggers: readonly CompiledTrigger[],
): number {
  const { ttl } = source.state;
  if (ttl !== undefined) {
    const ttlMs = durationMs(ttl);
    if (ttlMs > mostTtlDays * day)
      report(['state', 'ttl'], `expected at most ${mostTtlDays}d but found ${ttl}`);
    return ttlMs;
  }
  const delayMs = durationMs(source.timers.delay);
  const windows = features.map(({ bucketMs, buckets, windowMs }) => Math.max(bucketMs * buckets, windowMs));
  const waits = triggers.map((trigger) => (trigger.kind === 'absence' ? trigger.withinMs + delayMs : 0));
  return Math.max(
    defaultTtlMs,
    durationMs(source.deduplication.window),
    durationMs(source.session.gap) + delayMs,
    ...windows,
    ...waits,
  );
}
