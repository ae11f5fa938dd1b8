import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Push's metrics, declared once; dashboards refer to these names. */
export function pushMetrics(registry: Registry) {
  const registers = [registry];
  return {
    latency: new Histogram({
      name: 'presage_push_latency_seconds',
      help: 'From the append of the event that started a decision in the log to its offer handed to a live socket.',
      buckets: [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    sockets: new Gauge({ name: 'presage_push_sockets', help: 'Connected sockets.', registers }),
    offers: new Counter({
      name: 'presage_push_offers_total',
      help: 'Decisions read from the outbox, by what became of them: pushed, waiting (no live session), settled, answered, nothing, observed, stopped, expired, unreadable.',
      labelNames: ['result'] as const,
      registers,
    }),
    redelivered: new Counter({
      name: 'presage_push_redelivered_total',
      help: 'Waiting offers handed to a socket when it connected.',
      registers,
    }),
    received: new Counter({
      name: 'presage_push_received_total',
      help: 'Offers whose receipt a browser acknowledged.',
      registers,
    }),
    dropped: new Counter({
      name: 'presage_push_inbox_dropped_total',
      help: 'Unexpired offers that a full inbox dropped, oldest first.',
      registers,
    }),
    messages: new Counter({
      name: 'presage_push_messages_total',
      help: 'Messages from browsers, by message and answer.',
      labelNames: ['message', 'result'] as const,
      registers,
    }),
    connections: new Counter({
      name: 'presage_push_connections_total',
      help: 'Connection attempts, by answer: accepted, or the code of the refusal.',
      labelNames: ['result'] as const,
      registers,
    }),
    sessionEvents: new Counter({
      name: 'presage_push_session_events_total',
      help: 'Session connected and disconnected events, by result: appended, failed, left_out (too many on their way).',
      labelNames: ['result'] as const,
      registers,
    }),
    outboxLost: new Counter({
      name: 'presage_push_outbox_lost_total',
      help: 'Times a partition was continued at the oldest kept outbox entry, because the saved position was gone or ahead of the outbox.',
      registers,
    }),
  };
}

export type PushMetrics = ReturnType<typeof pushMetrics>;
