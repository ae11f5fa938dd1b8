import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the gateway measures. One per registry. No tenant labels: /metrics is open to whoever reaches the port. */
export function gatewayMetrics(registry: Registry) {
  const registers = [registry];
  return {
    requests: new Counter({
      name: 'presage_gateway_requests_total',
      help: 'HTTP requests answered, by route and status.',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'presage_gateway_request_duration_seconds',
      help: 'From the first byte of a request to the last of its answer.',
      labelNames: ['route'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
      registers,
    }),
    accepted: new Counter({
      name: 'presage_gateway_events_accepted_total',
      help: 'Events acknowledged: the log has them. By kind of source.',
      labelNames: ['source'],
      registers,
    }),
    rejected: new Counter({
      name: 'presage_gateway_events_rejected_total',
      help: 'Events refused, by code.',
      labelNames: ['code'],
      registers,
    }),
    bodiesInHand: new Gauge({
      name: 'presage_gateway_bodies_in_hand_bytes',
      help: 'Request bodies in memory now.',
      registers,
    }),
    liveListeners: new Gauge({
      name: 'presage_gateway_live_listeners',
      help: 'Open live views.',
      registers,
    }),
  };
}
export type GatewayMetrics = ReturnType<typeof gatewayMetrics>;
