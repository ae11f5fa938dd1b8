import { z } from 'zod';
import { duration } from '../duration.ts';
import { description, name } from './parts.ts';

const mostOfAll = 1_000_000_000;
const cap = z.discriminatedUnion('per', [
  z.strictObject({
    per: z.literal('session').describe('Within one session.'),
    limit: z.number().int().min(1).max(1_000).describe('How often at most.'),
  }),
  z.strictObject({
    per: z.literal('subject').describe('For one person, within a window.'),
    limit: z.number().int().min(1).max(100).describe('How often at most.'),
    window: duration.describe('Within this time, in event time.'),
  }),
  z.strictObject({
    per: z.literal('tenant').describe('For all subjects of the tenant together, within a window.'),
    limit: z.number().int().min(1).max(mostOfAll).describe('How often at most.'),
    window: duration.describe('Within this time, in event time.'),
  }),
]);

const most = 8;
export const caps = z.array(cap).max(most);
export type CapSource = z.infer<typeof cap>;

export const exclusive = z
  .strictObject({
    per: z
      .enum(['subject', 'session'])
      .default('subject')
      .describe('For one person, or within one session. Default subject.'),
    window: duration
      .optional()
      .describe(
        'With per subject: for this long, in event time. Without it only what is decided at one moment excludes each other.',
      ),
  })
  .describe('Of its actions only one: another is out once one was chosen.');

const timeOfDay = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'a time of day such as 22:00');

export const quietHours = z
  .strictObject({
    from: timeOfDay.describe('When they begin: 22:00.'),
    to: timeOfDay.describe('When they end; before from: on the next day.'),
    timezone: name
      .optional()
      .describe(
        "A feature with the subject's time zone, such as Europe/Paris. Without a value, the tenant's.",
      ),
  })
  .describe("Nothing is offered in these hours of the subject's day.");

const consentRule = z
  .enum(['required', 'optional', 'none'])
  .describe(
    'required: without consent an action of this purpose is out. optional: only if it was refused. none: nobody is asked. Default none.',
  );

export const purpose = z.strictObject({ description, consent: consentRule.optional() });

const mode = z.enum(['act', 'observe']);

/** What a tenant states for itself. */
export const tenantRules = {
  consent: z
    .record(name, consentRule)
    .optional()
    .describe('By purpose, in place of what the purpose states.'),
  mode: mode.optional().describe('observe: nothing is delivered, only decided and recorded. Default act.'),
  modes: z.record(name, mode).optional().describe('By action, in place of all else.'),
};

export const channel = z.strictObject({
  description,
  quiet_hours: quietHours.optional(),
  caps: caps.optional().describe('How often anything may be shown through this channel.'),
});

export const cooldown = duration.describe('After it was dismissed it is out for this long, in event time.');

export const budget = z
  .strictObject({
    daily: z.number().int().min(1).max(mostOfAll).describe('How often a day, for all subjects together.'),
  })
  .describe(
    "How often it may be chosen for all of the tenant's subjects together; a day is the tenant's own.",
  );
