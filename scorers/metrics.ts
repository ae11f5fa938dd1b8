import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the scorers measure. One per registry. */
export function scorerMetrics(registry: Registry) {
  const registers = [registry];
  return {
    rows: new Counter({
      name: 'presage_scorer_rows_total',
      help: 'Candidates scored, by model; padding is not counted.',
      labelNames: ['model'],
      registers,
    }),
    failures: new Counter({
      name: 'presage_scorer_failures_total',
      help: 'Calls to a model that gave no usable probabilities in time, so that a lower rung decided, by reason.',
      labelNames: ['model', 'reason'],
      registers,
    }),
    breaker: new Gauge({
      name: 'presage_scorer_breaker_state',
      help: 'Whether a model is asked: 0 it is (closed), 1 it is tried (half-open), 2 it is not (open).',
      labelNames: ['model'],
      registers,
    }),
    processes: new Gauge({
      name: 'presage_scorer_processes_count',
      help: 'Models that run in a process of their own.',
      registers,
    }),
    callSeconds: new Histogram({
      name: 'presage_scorer_call_seconds',
      help: 'Time of one call to a model, all its blocks.',
      labelNames: ['model'],
      buckets: [0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.1],
      registers,
    }),
  };
}
export type ScorerMetrics = ReturnType<typeof scorerMetrics>;
