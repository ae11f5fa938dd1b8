import { Counter, type Registry } from 'prom-client';

/** By registry: a log of other partitions goes on with them. */
const known = new WeakMap<Registry, KafkaLogMetrics>();

/** What Kafka logs measure: the same of one registry. */
export function kafkaLogMetrics(registry: Registry): KafkaLogMetrics {
  const metrics = known.get(registry) ?? make(registry);
  known.set(registry, metrics);
  return metrics;
}

function make(registry: Registry) {
  const registers = [registry];
  return {
    consumerRestarts: new Counter({
      name: 'presage_log_consumer_restarts_total',
      help: 'Kafka consumers given up for a new one, by group: crashed, or stuck without a fetch.',
      labelNames: ['group'],
      registers,
    }),
    rebalances: new Counter({
      name: 'presage_log_rebalances_total',
      help: 'Times a Kafka group divided its partitions, as seen by this member.',
      labelNames: ['group'],
      registers,
    }),
    repositions: new Counter({
      name: 'presage_log_repositions_total',
      help: 'Times the Kafka client was put back to the offset that is next, by group: it fetched elsewhere, or not at all.',
      labelNames: ['group'],
      registers,
    }),
  };
}
export type KafkaLogMetrics = ReturnType<typeof make>;
