import { z } from 'zod';
import { duration } from '../duration.ts';
import { decimal, of } from './feature-parts.ts';
import { description, expression, name } from './parts.ts';

/** What counts as success of a decision beyond its acceptance: an event that subjects send. */
const metric = z.strictObject({
  description,
  of: of.describe('The event types that count: one, or a list.'),
  where: expression
    .optional()
    .describe('CEL: only events for which this holds. Reads event.<property>, as in event.total > 100.'),
  value: z.string().min(1).optional().describe('The numeric property that is its value, summed.'),
  scale: decimal.scale.default(2),
  once_per: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A property, such as order_id: events that share its value are one, whoever reported them. Without it, those of one person with one message id.',
    ),
  decision: z
    .string()
    .min(1)
    .optional()
    .describe('A property that names the decision it came of. Where an event has it, nothing else counts.'),
  window: duration
    .optional()
    .describe('An event counts for a decision this long after it was shown. Default outcomes.window.'),
  timeout: duration
    .optional()
    .describe('Without such an event for this long, a shown decision is a negative. Default the window.'),
});

export const outcomes = z.strictObject({
  timeout: duration
    .default('30m')
    .describe('An offer that was shown and not answered for this long was ignored. Default 30m.'),
  window: duration
    .default('7d')
    .describe('How long after it was shown a decision can be what led to an event. Default 7d.'),
  scale: decimal.scale.default(2).describe('Decimal places kept of a reported value. Default 2.'),
  metrics: z.record(name, metric).default({}).describe('What counts as success, by name. At most 16.'),
});
