import { Counter, Gauge, type Registry } from 'prom-client';

/** What the sources measure. One per registry. */
export function sourceMetrics(registry: Registry) {
  const registers = [registry];
  return {
    records: new Counter({
      name: 'presage_source_records_total',
      help: 'Records of external topics, by source and what became of them: appended, or rejected (to the dead letters).',
      labelNames: ['source', 'result'],
      registers,
    }),
    lost: new Counter({
      name: 'presage_source_lost_records_total',
      help: 'Offsets of external topics that were gone before they were read, by source.',
      labelNames: ['source'],
      registers,
    }),
    following: new Gauge({
      name: 'presage_source_following',
      help: '1 while a source reads its topic, else 0 (/readyz and the console say why), by source.',
      labelNames: ['source'],
      registers,
    }),
  };
}
export type SourceMetrics = ReturnType<typeof sourceMetrics>;
