import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the request path measures. One per registry. */
export function requestMetrics(registry: Registry) {
  const registers = [registry];
  return {
    decisions: new Counter({
      name: 'presage_request_decisions_total',
      help: 'Decisions made on request, by rung and reason, and whether they were recorded.',
      labelNames: ['rung', 'reason', 'recorded'],
      registers,
    }),
    seconds: new Histogram({
      name: 'presage_request_decide_seconds',
      help: 'From a request that was read to its decisions.',
      buckets: [0.001, 0.002, 0.003, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.5],
      registers,
    }),
    inHand: new Gauge({
      name: 'presage_request_in_hand_count',
      help: 'Requests for decisions that are not answered yet.',
      registers,
    }),
    refused: new Counter({
      name: 'presage_request_refused_total',
      help: 'Requests for decisions that were turned away, since too many were in hand.',
      registers,
    }),
  };
}
export type RequestMetrics = ReturnType<typeof requestMetrics>;
