import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The sink's metrics, declared once; dashboards refer to these names. */
export function sinkMetrics(registry: Registry) {
  const registers = [registry];
  return {
    rows: new Counter({
      name: 'presage_sink_rows_total',
      help: 'Rows that ClickHouse has confirmed, by table.',
      labelNames: ['table'] as const,
      registers,
    }),
    blockSeconds: new Histogram({
      name: 'presage_sink_block_seconds',
      help: 'Time of one block, from its rows being read to its position being saved.',
      buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
      registers,
    }),
    blockEntries: new Histogram({
      name: 'presage_sink_block_entries',
      help: 'Outbox entries in one block.',
      buckets: [1, 5, 20, 100, 500, 1_000, 5_000],
      registers,
    }),
    lag: new Gauge({
      name: 'presage_sink_lag_entries',
      help: 'Outbox entries that are not in ClickHouse yet, by partition.',
      labelNames: ['partition'] as const,
      registers,
    }),
    retries: new Counter({
      name: 'presage_sink_retries_total',
      help: 'Blocks or reads that failed and were tried again, by error code.',
      labelNames: ['code'] as const,
      registers,
    }),
    rewinds: new Counter({
      name: 'presage_sink_rewinds_total',
      help: 'Times a partition went on at the oldest kept outbox entry, because its own position was gone.',
      registers,
    }),
  };
}

export type SinkMetrics = ReturnType<typeof sinkMetrics>;
