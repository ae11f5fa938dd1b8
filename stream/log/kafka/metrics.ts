import { Counter, type Registry } from 'prom-client';

/** What the Kafka log measures. One per registry. */
export function kafkaLogMetrics(registry: Registry) {
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
export type KafkaLogMetrics = ReturnType<typeof kafkaLogMetrics>;
