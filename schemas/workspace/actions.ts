import { z } from 'zod';
import { duration } from '../duration.ts';
import { budget, caps, cooldown, exclusive, quietHours } from './constraints.ts';
import { exploration } from './exploration.ts';
import { description, expression, name, numberOrExpression } from './parts.ts';

const rules = {
  eligible: expression
    .optional()
    .describe('CEL: may it be offered at all. Reads features by name, event., action. and context.'),
  applicable: expression
    .optional()
    .describe('CEL: does it fit this situation. Asked of those that are eligible.'),
  suitable: expression
    .optional()
    .describe('CEL: is it right for this person. Asked of those that are applicable.'),
};

export const actionGroup = z.strictObject({
  description,
  ...rules,
  caps: caps.optional().describe('How often any of its actions may be shown.'),
  exclusive: exclusive.optional(),
});

export const action = z.strictObject({
  description,
  placements: z.array(name).min(1).describe('Where it can be shown.'),
  group: name.optional().describe('The group whose rules it keeps beside its own.'),
  ...rules,
  value: numberOrExpression.describe(
    "Business value in the tenant's currency, above 0, stated for help too: a number or CEL.",
  ),
  weight: numberOrExpression.default(1).describe('Context weight: a number or CEL. Default 1.'),
  lever: numberOrExpression.default(1).describe('A lever to push it up or down: a number or CEL. Default 1.'),
  attributes: z
    .record(name, z.union([z.number(), z.string().max(256)]))
    .default({})
    .describe(
      'Numbers and texts that expressions may read as action.<name>, and look up: views_by_item[action.item]. The model reads numbers.',
    ),
  purpose: name.optional().describe('The purpose it serves; it may only read features that allow it.'),
  caps: caps.default([]).describe('How often it may be shown.'),
  cooldown: cooldown.optional(),
  budget: budget.optional(),
  mode: z
    .enum(['act', 'observe'])
    .default('act')
    .describe('act: delivered. observe: decided and recorded, never delivered. Default act.'),
  holdout: z
    .literal('exempt')
    .optional()
    .describe('exempt: a service that those who are held out get, too. Default: they get nothing.'),
  effect: z
    .enum(['informs', 'moves_money', 'changes_account', 'states_fact'])
    .optional()
    .describe('What doing it does. All but informs need a gate and get one. Default informs.'),
  reversible: z
    .boolean()
    .optional()
    .describe(
      'It can be taken back, so some of those that pass the gate are executed and reviewed too. Only for actions with a gate. Default false.',
    ),
  gate: z
    .strictObject({
      target: z.literal('right').default('right').describe('Of what the confidence is: that it is right.'),
      threshold: z.number().min(0.5).max(1).default(0.85).describe('Least confidence. Default 0.85.'),
      calibration: z
        .string()
        .min(1)
        .max(256)
        .optional()
        .describe(
          'File in the workspace that says how sure we are, as `presage calibrate` writes it. Without it nothing is confident.',
        ),
    })
    .optional()
    .describe(
      'Below this calibrated confidence it is not executed. Only for actions that do more than inform.',
    ),
  content: z.record(z.string(), z.unknown()).default({}).describe('What the client shows; any JSON.'),
  rules_probability: z
    .number()
    .min(0)
    .max(1)
    .default(0.05)
    .describe('Acceptance probability that rules assume when no model can answer in time. Default 0.05.'),
});

export const placement = z.strictObject({
  description,
  expires: duration
    .default('10m')
    .describe('An offer is never shown later than this after its decision. Default 10m.'),
  channel: name.optional().describe('The channel that it is part of, with caps of its own.'),
  caps: caps.optional().describe('How often anything may be shown here.'),
  quiet_hours: quietHours.optional(),
  live: z
    .boolean()
    .optional()
    .describe('Only for subjects with a live session (a connected browser). Default false.'),
  model: name
    .optional()
    .describe("The model that scores this placement's candidates; without one, rules do."),
  slots: z
    .number()
    .int()
    .min(1)
    .max(16)
    .optional()
    .describe('How many actions it shows at once, in order. Default 1.'),
  nothing: numberOrExpression
    .optional()
    .describe(
      'What it is worth to show nothing: a number or CEL, above 0, compared with the priorities. Without it something is shown wherever something is available.',
    ),
  exploration: exploration
    .optional()
    .describe('How it tries what it does not expect to be best. Without it, it does not.'),
  fallback: name
    .optional()
    .describe('A cheaper model, asked where the model cannot answer in its share of the time.'),
  shadows: z
    .array(name)
    .max(2)
    .default([])
    .describe('Models that score what is decided without deciding it; their scores are in the record.'),
  default: name
    .optional()
    .describe(
      'The action that is shown where the state cannot be read in time: one without caps, eligible and purpose. Without one, nothing is.',
    ),
});
