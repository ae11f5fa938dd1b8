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
    freshnessSeconds: new Histogram({
      name: 'presage_stream_freshness_seconds',
      help: 'From the time of an event, as its producer states it, to features that readers see: the oldest event of each batch that is not late, and the newest.',
      labelNames: ['event'],
      buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2, 10, 60, 600],
      registers,
    }),
    lagEvents: new Gauge({
      name: 'presage_stream_lag_events',
      help: 'Log offsets not processed yet.',
      labelNames: ['partition'],
      registers,
    }),
    lagSeconds: new Gauge({
      name: 'presage_stream_lag_seconds',
      help: 'Time since the newest committed record was appended, while there are others to process; else 0.',
      labelNames: ['partition'],
      registers,
    }),
    watermarkDelay: new Gauge({
      name: 'presage_stream_watermark_delay_seconds',
      help: 'How far the newest event time seen is behind the clock.',
      labelNames: ['partition', 'tenant'],
      registers,
    }),
    lateEvents: new Counter({
      name: 'presage_stream_late_events_total',
      help: 'Events behind the watermark by more than their type allows: in features, but starting no decision.',
      registers,
    }),
    clampedEvents: new Counter({
      name: 'presage_stream_clamped_events_total',
      help: 'Events said to be of after their append time, which was taken instead.',
      registers,
    }),
    deadLetters: new Counter({
      name: 'presage_stream_dead_letters_total',
      help: 'Records that could not be used, by reason.',
      labelNames: ['code'],
      registers,
    }),
    stateBytes: new Histogram({
      name: 'presage_stream_state_bytes',
      help: "Size of subjects' state as committed: every 16th of those written.",
      buckets: [128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536],
      registers,
    }),
    fences: new Counter({
      name: 'presage_stream_fenced_commits_total',
      help: 'Commits refused because another worker or another history was there.',
      registers,
    }),
    timersFired: new Counter({
      name: 'presage_stream_timers_fired_total',
      help: 'Timers that asked for a decision: absences and ends of sessions.',
      registers,
    }),
    timersRefused: new Counter({
      name: 'presage_stream_timers_refused_total',
      help: 'Timers that were left out because their subject had as many as it may.',
      registers,
    }),
    expired: new Counter({
      name: 'presage_stream_expired_subjects_total',
      help: 'Subjects forgotten because they were silent for as long as state.ttl says.',
      registers,
    }),
    ticks: new Counter({
      name: 'presage_stream_ticks_total',
      help: 'Ticks appended so that timers fire where no events come.',
      registers,
    }),
    horizon: new Gauge({
      name: 'presage_stream_horizon_timers',
      help: 'Entries of the index of timers in memory.',
      labelNames: ['partition'],
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
    cachedBytes: new Gauge({
      name: 'presage_stream_cached_state_bytes',
      help: 'Size of the decoded states in memory, as encoded.',
      labelNames: ['partition'],
      registers,
    }),
    cacheMisses: new Counter({
      name: 'presage_stream_cache_misses_total',
      help: 'Subjects that were not in memory and had to be read.',
      registers,
    }),
  };
}
export type StreamMetrics = ReturnType<typeof streamMetrics>;
