import { z } from 'zod';
import { duration } from '../duration.ts';
import { description, expression, name } from './parts.ts';

export const trigger = z.strictObject({
  description,
  on: z
    .string()
    .min(1)
    .optional()
    .describe('The event type that starts a decision, or session_end: when a session is over.'),
  when: expression
    .optional()
    .describe(
      'CEL. With on or after: only if this holds. Alone: starts a decision when it becomes true, at an event of the subject. Reads features by name and, with on, event.<property>.',
    ),
  while: z
    .literal(true)
    .optional()
    .describe('With when alone: at every event for which it holds, at most once each cooldown.'),
  cooldown: duration
    .optional()
    .describe('With when alone: for so long after a decision the trigger starts no other for this subject.'),
  after: z
    .string()
    .min(1)
    .optional()
    .describe('Absence: the event type that begins a wait. A newer one begins it anew.'),
  absent: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe('Absence: the event type, or types, that must not follow.'),
  within: duration.optional().describe('Absence: how long after the event a decision is started.'),
  where: expression
    .optional()
    .describe('Absence: CEL: only events of after for which this holds. Reads event.<property>.'),
  same: z
    .string()
    .min(1)
    .optional()
    .describe('Absence: a property that both events must share, such as cart_id.'),
  placement: name.describe('The placement that is decided for.'),
});
