import { Counter, Gauge, type Registry } from 'prom-client';
import type { SharedSnapshots } from './snapshots.ts';

/** What shared features measure. One per registry: `current` are the snapshots in force, which change with the workspace. */
export function sharedMetrics(registry: Registry, current: () => SharedSnapshots | undefined) {
  const registers = [registry];
  new Gauge({
    name: 'presage_shared_snapshot_age_seconds',
    help: 'Since all partitions were last read for the shared features that decisions see.',
    registers,
    collect() {
      this.set(current()?.ageSeconds() ?? 0);
    },
  });
  new Gauge({
    name: 'presage_shared_items',
    help: 'Values of `by` that the newest snapshot has, by tenant and property.',
    labelNames: ['tenant', 'by'] as const,
    registers,
    collect() {
      this.reset();
      for (const { tenant, by, items } of current()?.kept() ?? []) this.set({ tenant, by }, items);
    },
  });
  new Gauge({
    name: 'presage_shared_full_shards',
    help: 'Shards with as many items as they may keep: those least recently seen are left out. Raise keys.',
    labelNames: ['tenant', 'by'] as const,
    registers,
    collect() {
      this.reset();
      for (const { tenant, by, fullShards } of current()?.kept() ?? []) this.set({ tenant, by }, fullShards);
    },
  });
  return {
    missedReads: new Counter({
      name: 'presage_shared_missed_reads_total',
      help: 'Keys that decisions asked shared features for and that had seen nothing in the window or were left out.',
      labelNames: ['feature'] as const,
      registers,
    }),
  };
}
export type SharedMetrics = ReturnType<typeof sharedMetrics>;
