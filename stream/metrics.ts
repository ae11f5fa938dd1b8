import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the stream role measures. One per registry. */
export function streamMetrics(registry: Registry) {
  const registers = [registry];
  return {
    events: new Counter({
      name: 'presage_stream_events_total',
      help: 'Log records processed, by what became of them.',
      labelNames: ['result'],
      registers,
    }),
    decisions: new Counter({
      name: 'presage_stream_decisions_total',
      help: 'Decisions made, by rung and reason.',
      labelNames: ['rung', 'reason'],
      registers,
    }),
    batchRecords: new Histogram({
      name: 'presage_stream_batch_records',
      help: 'Log records in one commit.',
      buckets: [1, 5, 20, 100, 500, 1000, 2000],
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'presage_stream_commit_seconds',
      help: 'Time of one commit in Redis.',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2],
      registers,
    }),
    eventSeconds: new Histogram({
      name: 'presage_stream_event_to_commit_seconds',
      help: 'From append in the log to committed state, the oldest record of each batch.',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2, 10],
      registers,
    }),
    fences: new Counter({
      name: 'presage_stream_fenced_commits_total',
      help: 'Commits refused because another worker or another history was there.',
      registers,
    }),
    outgrown: new Counter({
      name: 'presage_stream_outgrown_states_total',
      help: 'Subjects whose state grew over the size of a blob and began anew.',
      registers,
    }),
    restarts: new Counter({
      name: 'presage_stream_restarts_total',
      help: 'Times a worker dropped its memory and began again from the committed state.',
      registers,
    }),
    lostPositions: new Gauge({
      name: 'presage_stream_position_lost',
      help: '1 while the stored position of a partition is outside the log: it stands still until its state is rebuilt.',
      labelNames: ['partition'],
      registers,
    }),
    position: new Gauge({
      name: 'presage_stream_position',
      help: 'Next log offset to process.',
      labelNames: ['partition'],
      registers,
    }),
    cachedSubjects: new Gauge({
      name: 'presage_stream_cached_subjects',
      help: 'Decoded subject states in memory.',
      labelNames: ['partition'],
      registers,
    }),
  };
}
export type StreamMetrics = ReturnType<typeof streamMetrics>;
