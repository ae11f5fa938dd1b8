import type { Clock } from '../core/index.ts';
import type { EventLog } from './log/port.ts';
import type { StreamMetrics } from './metrics.ts';
import type { Watermark } from './timers/watermark.ts';

/** How far the run of a partition has got; it keeps this up to date. */
export interface Progress {
  /** Next offset to process, as committed. */
  position: number;
  /** Append time of the newest committed record; -Infinity before the first. */
  appendedAt: number;
  /** When the log was last found to hold nothing more; -Infinity: not yet. */
  caughtUpAt: number;
  /** How far event time has come, committed or on its way, by tenant. */
  watermarks: ReadonlyMap<string, Watermark>;
}

export const makeProgress = (position: number): Progress => ({
  position,
  appendedAt: -Infinity,
  caughtUpAt: -Infinity,
  watermarks: new Map(),
});

/**
 * Sets the gauges of lag and watermarks for all partitions that run here. The lag in events counts offsets, of which
 * Kafka leaves some out; in seconds it is the age of what was committed last, and 0 with nothing left to process.
 */
export async function measureProgress(
  runs: ReadonlyMap<number, Progress>,
  log: Pick<EventLog, 'range'>,
  clock: Clock,
  metrics: StreamMetrics,
): Promise<void> {
  await Promise.all(
    [...runs].map(async ([number, progress]) => {
      const { end } = await log.range(number);
      // Revoked meanwhile: another worker tells of it.
      if (runs.get(number) !== progress) return;
      const now = clock.now();
      const partition = String(number);
      const events = Math.max(0, end - progress.position);
      const since = Math.max(progress.appendedAt, progress.caughtUpAt);
      const lagMs = events === 0 || since === -Infinity ? 0 : Math.max(0, now - since);
      metrics.lagEvents.set({ partition }, events);
      metrics.lagSeconds.set({ partition }, lagMs / 1_000);
      for (const [tenant, { at, leadTime }] of progress.watermarks)
        metrics.watermarkDelay.set({ partition, tenant }, (now - (at === -Infinity ? leadTime : at)) / 1_000);
    }),
  );
}

/** A partition that runs elsewhere now is that worker's to tell of. */
export function forgetProgress(number: number, progress: Progress, metrics: StreamMetrics): void {
  const partition = String(number);
  metrics.lagEvents.remove({ partition });
  metrics.lagSeconds.remove({ partition });
  for (const tenant of progress.watermarks.keys()) metrics.watermarkDelay.remove({ partition, tenant });
}
