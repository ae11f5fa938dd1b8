import { z } from 'zod';
import { anyDuration, duration } from '../duration.ts';
import { action, actionGroup, placement } from './actions.ts';
import { channel, purpose, tenantRules } from './constraints.ts';
import { featureDefinition } from './features.ts';
import { holdout } from './holdout.ts';
import { model } from './models.ts';
import { outcomes } from './outcomes.ts';
import { description, name } from './parts.ts';
import { source } from './sources.ts';
import { trigger } from './triggers.ts';
import { eventType } from './types.ts';

/**
 * The shape of `presage.yaml`. Only shape: names that refer to each other, expressions and files are checked when the
 * workspace is compiled (workspace/compile.ts). Every object is strict, so that a misspelt key is an error.
 * The descriptions are what an editor shows for a key (schemas/presage.schema.json).
 */
export const workspaceSource = z.strictObject({
  version: z.literal(1).describe('Version of this format.'),
  name: name.describe('Name of the workspace.'),
  description,
  events: z
    .enum(['open', 'closed'])
    .default('open')
    .describe(
      'Undeclared event types: open stores and shows them as undeclared, closed refuses them. Default open.',
    ),
  tenants: z
    .record(
      name,
      z.strictObject({
        currency: z.string().length(3).default('EUR').describe('Of every value, three letters. Default EUR.'),
        timezone: z.string().default('UTC').describe('An IANA time zone such as Europe/Paris. Default UTC.'),
        ...tenantRules,
      }),
    )
    .describe('Who shares this installation, each with data of its own. At least one.'),
  purposes: z.record(name, purpose).default({}).describe('What data may be used for.'),
  types: z.record(z.string().min(1), eventType).default({}).describe('Event types, by name.'),
  features: z
    .record(name, featureDefinition)
    .default({})
    .describe("Values computed from a subject's events, by name."),
  placements: z.record(name, placement).default({}).describe('Where actions can be shown, by name.'),
  channels: z
    .record(name, channel)
    .optional()
    .describe('Ways to a person that several placements share, by name.'),
  groups: z
    .record(name, actionGroup)
    .optional()
    .describe('Rules that several actions share, by name of the group.'),
  actions: z.record(name, action).default({}).describe('What can be offered, by name.'),
  triggers: z.record(name, trigger).default({}).describe('What starts a decision, by name.'),
  models: z.record(name, model).default({}).describe('ONNX models that predict acceptance, by name.'),
  outcomes: outcomes.optional().describe('What counts as an answer to an offer, and as its success.'),
  sources: z
    .record(name, source)
    .default({})
    .describe('Kafka topics of your own whose records become events, by name. Needs KAFKA_BROKERS.'),
  holdout: holdout
    .optional()
    .describe('Holds a share of all subjects out, so that lift can be measured. Without it nobody is.'),
  scoring: z
    .strictObject({
      budget: duration
        .default('20ms')
        .describe(
          'Time scoring may take per batch; when it is spent the rest is decided by rules. Default 20ms.',
        ),
    })
    .prefault({})
    .describe('Limits of scoring.'),
  deduplication: z
    .strictObject({
      ids: z
        .number()
        .int()
        .min(16)
        .max(1_024)
        .default(1_024)
        .describe('How many event ids are remembered for each subject. Default 1024.'),
      window: duration.default('24h').describe('For how long, in event time. Default 24h.'),
    })
    .prefault({})
    .describe('How long a repeated event is known as one. Beyond it, a repeat counts twice.'),
  session: z
    .strictObject({ gap: duration.default('30m').describe('A pause this long ends a session. Default 30m.') })
    .prefault({})
    .describe('Where sessions end, unless the client says so.'),
  timers: z
    .strictObject({
      delay: duration
        .default('5s')
        .describe(
          'A timer fires only this long after it is due, in event time, so that events which come a little late still count. Default 5s.',
        ),
    })
    .prefault({})
    .describe('Absence and ends of sessions.'),
  state: z
    .strictObject({
      ttl: anyDuration
        .optional()
        .describe(
          'A subject silent for this long, in event time, is forgotten: features, timers and caps. Default 365d, or as long as the longest window or wait.',
        ),
    })
    .prefault({})
    .describe('How long subjects are remembered.'),
  review: z
    .strictObject({
      within: duration
        .default('1h')
        .describe(
          'How long a decision waits for a person, in event time: at most 7d. Then it is over and is not executed. Default 1h.',
        ),
      escalate: duration
        .default('15m')
        .describe('After this long it is marked as urgent; shorter than within. Default 15m.'),
      sample: z
        .number()
        .min(0)
        .max(1)
        .default(0.02)
        .describe(
          'Share of the reversible decisions that pass their gate and are reviewed all the same. Default 0.02.',
        ),
    })
    .optional()
    .describe('How people review what actions with a gate do.'),
  feed: z
    .strictObject({
      map: z
        .string()
        .optional()
        .describe(
          'A module (.mjs) in the workspace that turns one row of a file into events, for `presage feed`.',
        ),
      tenant: name.optional().describe('The tenant that fed events belong to, unless stated.'),
    })
    .prefault({})
    .describe('Defaults of `presage feed`.'),
  simulate: z
    .strictObject({ module: z.string().describe('Path of a module (.mjs) within the workspace.') })
    .optional()
    .describe('A module that plays visitors (`presage simulate`; started by `presage start` where present).'),
  demo: z
    .strictObject({ site: z.string().describe('Path of a folder within the workspace.') })
    .optional()
    .describe('A folder of static files served under /demo/.'),
});

export type WorkspaceSource = z.infer<typeof workspaceSource>;
