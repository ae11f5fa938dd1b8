import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type ReviewMetrics = ReturnType<typeof reviewMetrics>;

export const reviewMetrics = (registry: Registry) => {
  const registers = [registry];
  return {
    items: new Counter({
      name: 'presage_review_items_total',
      help: 'Decisions that were to be reviewed, by what became of them on their way into the queue; `full` ones are not executed.',
      labelNames: ['result'],
      registers,
    }),
    verdicts: new Counter({
      name: 'presage_review_verdicts_total',
      help: 'Verdicts on decisions, by verdict and by why they were reviewed.',
      labelNames: ['verdict', 'reason'],
      registers,
    }),
    escalated: new Counter({
      name: 'presage_review_escalated_total',
      help: 'Decisions that waited for a person for longer than they should.',
      registers,
    }),
    waited: new Histogram({
      name: 'presage_review_wait_seconds',
      help: "From a decision to a person's verdict.",
      buckets: [5, 15, 60, 180, 600, 1_800, 3_600, 14_400, 86_400],
      registers,
    }),
    waiting: new Gauge({
      name: 'presage_review_waiting',
      help: 'Decisions that wait for a person.',
      registers,
    }),
    unpublished: new Gauge({
      name: 'presage_review_unpublished',
      help: 'Verdicts that the log has not taken yet, at most 100 counted.',
      registers,
    }),
    outboxLost: new Counter({
      name: 'presage_review_outbox_lost_total',
      help: 'Times the review queue found its position no longer in the outbox and began at the oldest entry.',
      registers,
    }),
  };
};
