import { z } from 'zod';
import { decisionModes } from './decision.ts';
import { outcomeNames } from './event.ts';

/**
 * The public HTTP API (`/v1/...`): what its bodies and answers look like. The gateway validates with these and makes
 * the OpenAPI document from them. All times in answers are Unix milliseconds.
 */

/** An id as clients send it: integers are taken as their decimal spelling, `null` and `''` as absent. */
const clientId = z
  .union([z.string().max(256), z.int()])
  .nullish()
  .describe('At most 256 characters; an integer is taken as its decimal spelling.');

const freeObject = z.looseObject({}).nullish();

/** ISO 8601 (without a zone: UTC) or Unix milliseconds. */
export const clientTime = z
  .union([z.string().max(64), z.number()])
  .describe('ISO 8601 (without a zone: UTC) or Unix milliseconds.');

/** Anything is taken: a call is not refused for it. */
const sentAt = z
  .unknown()
  .optional()
  .describe(
    "What the sender's clock said when the call was sent. Where it is between 30 s and 24 h off, times are corrected by it. A call's own counts before its batch's.",
  );

export const callNames = ['track', 'identify', 'page', 'screen', 'group', 'alias'] as const;
export type CallName = (typeof callNames)[number];

/** One call of the Segment tracking API. Fields that are not listed are tolerated and not kept. */
export const segmentMessage = z.looseObject({
  type: z.string().max(64).nullish().describe('Which call this is; needed in a batch only.'),
  messageId: clientId,
  userId: clientId,
  anonymousId: clientId,
  previousId: clientId.describe('`alias` only: the id that the subject had before.'),
  groupId: clientId.describe('`group` only.'),
  event: z
    .string()
    .max(256)
    .nullish()
    .describe('`track` only: the name of the event, which becomes its type.'),
  name: z.string().max(1_024).nullish().describe('`page` and `screen` only.'),
  category: z.string().max(1_024).nullish().describe('`page` and `screen` only.'),
  timestamp: clientTime.nullish(),
  originalTimestamp: clientTime.nullish(),
  sentAt,
  properties: freeObject,
  traits: freeObject,
  context: freeObject,
  integrations: freeObject,
});
export type SegmentMessage = z.infer<typeof segmentMessage>;

/** Body of /v1/track and its like: the call itself, and the key where no header can carry it. */
export const singleCall = segmentMessage.extend({
  writeKey: z.string().max(128).optional().describe('The key, for browsers; elsewhere use basic auth.'),
});

export const batchCall = z.looseObject({
  batch: z.array(segmentMessage).describe('At most 2,500 calls, 32 KB each, 500 KB in all.'),
  writeKey: z.string().max(128).optional(),
  sentAt,
  context: freeObject.describe('Merged under the context of each call.'),
  integrations: freeObject,
});

/** Why one event was not kept. */
export const rejection = z.object({
  index: z.int().describe('Its place in the batch, from 0.'),
  code: z.string(),
  message: z.string(),
  path: z.string().optional(),
  expected: z.string().optional(),
  got: z.string().optional(),
});
export type Rejection = z.infer<typeof rejection>;

export const ingestAnswer = z.object({
  success: z.literal(true),
  accepted: z.int(),
  rejected: z.array(rejection),
  /** Ids that were made here, for events that came without one. */
  generated: z.array(z.object({ index: z.int(), messageId: z.string() })).optional(),
});
export type IngestAnswer = z.infer<typeof ingestAnswer>;

/** Body of /v1/ingest (`presage feed`): events as the log will hold them, in order. */
export const ingestBody = z.object({
  tenant: z.string().min(1).max(64),
  source: z.string().regex(/^(feed:[A-Za-z0-9._-]{1,120}|simulator)$/, 'feed:<run> or simulator'),
  events: z
    .array(z.unknown())
    .min(1)
    .max(2_000)
    .describe('StoredEvent without v, tenant, source and schema.'),
});

export const feedEvent = z.object({
  id: z.string().min(1).max(256),
  type: z.string().min(1).max(256),
  userId: z.string().min(1).max(256).optional(),
  anonymousId: z.string().min(1).max(256).optional(),
  session: z.string().min(1).max(256).optional(),
  time: z.int(),
  properties: z.looseObject({}).default({}),
  context: z.looseObject({}).optional(),
});
export type FeedEvent = z.infer<typeof feedEvent>;

export const ingestFeedAnswer = z.object({
  accepted: z.int(),
  rejected: z.array(rejection),
  /** Highest offset that this call appended, by partition. */
  offsets: z.record(z.string(), z.int()),
});
export type IngestFeedAnswer = z.infer<typeof ingestFeedAnswer>;

const subjectFields = {
  userId: z.string().min(1).max(256).optional(),
  anonymousId: z.string().min(1).max(256).optional(),
  session: z.string().min(1).max(256).optional().describe("The client's session id."),
};

const deadline = z
  .int()
  .min(5)
  .max(5_000)
  .default(50)
  .describe(
    'Milliseconds from the request that was read to its answer. What is not there in time comes from a lower rung.',
  );

const question = {
  ...subjectFields,
  placement: z.string().min(1).max(64).optional(),
  placements: z.array(z.string().min(1).max(64)).min(1).max(16).optional(),
  context: z.looseObject({}).default({}).describe('Read by expressions as `context.<name>`.'),
  requestId: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('Makes the call repeatable: the same id gets the same answer.'),
};

export const decideBody = z.object({
  writeKey: z.string().max(128).optional(),
  deadlineMs: deadline,
  ...question,
});
export type DecideQuestion = Omit<z.infer<typeof decideBody>, 'writeKey' | 'deadlineMs'>;

export const decideBatchBody = z.object({
  writeKey: z.string().max(128).optional(),
  deadlineMs: deadline,
  batch: z.array(z.object(question)).min(1).max(100).describe('Questions, each about one subject.'),
});

/** An opaque text of the asker's, with or without the quotes that the draft of the standard wants. */
export const idempotencyKey = z
  .string()
  .regex(/^"?[\x21\x23-\x7e]{1,128}"?$/, '1 to 128 visible characters')
  .optional()
  .describe('The same key gets the same answer for 10 minutes; with another body it is refused.');

/** What the gateway asks of the stream's request path. */
export interface DecideRequest {
  readonly tenant: string;
  /** `u:<userId>` or `a:<anonymousId>`. */
  readonly subject: string;
  readonly session: string | null;
  /** Declared placements, without repeats, in the order asked. */
  readonly placements: readonly string[];
  readonly context: Readonly<Record<string, unknown>>;
  /** Idempotency: repeats of one id get the first answer. */
  readonly requestId: string;
  /** Of the whole question, where repeats of another question under the same id are to be refused. */
  readonly fingerprint?: string;
  /** Milliseconds from now to the answer; absent: 50. */
  readonly deadlineMs?: number;
  /** Unix ms at the gateway. */
  readonly receivedAt: number;
  readonly simulated: boolean;
  /** The asker may ask about known users: also about the one that an anonymous id became. Default: no. */
  readonly mayNameUsers?: boolean;
}

const shownOffer = z.object({ content: z.record(z.string(), z.unknown()), expiresAt: z.number() });

/** What a client may see of a decision: what to show, not why. `action` is null unless it is to be shown. */
export const decideAnswer = z.object({
  requestId: z.string(),
  decisions: z.array(
    z.object({
      id: z.string(),
      placement: z.string(),
      mode: z.enum(decisionModes),
      action: z.string().nullable(),
      offer: shownOffer.nullable(),
      slots: z
        .array(z.object({ action: z.string(), offer: shownOffer }))
        .optional()
        .describe(
          'Where the placement has several slots: what to show, in order. The first is action and offer.',
        ),
      recorded: z.boolean(),
      receipt: z
        .string()
        .optional()
        .describe('Where there is something to show: what POST /v1/outcomes wants, to say what came of it.'),
    }),
  ),
});
export type DecideAnswer = z.infer<typeof decideAnswer>;

export const reportNames = ['shown', 'accepted', 'dismissed', 'expired', 'ignored', 'converted'] as const;

/** What came of one decision that was asked for. */
export const outcomeReport = z.object({
  receipt: z.string().min(1).max(2_000).optional().describe('As the answer of /v1/decide had it.'),
  decision: z
    .string()
    .min(1)
    .max(64)
    .optional()
    .describe("Instead of a receipt, with a secret key: a decision's id, a second or two after it was made."),
  outcome: z.enum(reportNames).describe('accepted and dismissed say shown, too.'),
  value: z.number().optional().describe("For converted, in the tenant's currency."),
  id: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe('For converted: tells several of one decision apart. The same id counts once.'),
  timestamp: clientTime.nullish().describe('When it was; default now.'),
});
export type OutcomeReport = z.infer<typeof outcomeReport>;

/** Body of POST /v1/outcomes: one report, or several. */
export const outcomesBody = z.union([
  z.object({
    writeKey: z.string().max(128).optional(),
    sentAt,
    batch: z.array(outcomeReport).min(1).max(500).describe('At most 500 reports.'),
  }),
  outcomeReport.extend({ writeKey: z.string().max(128).optional(), sentAt }),
]);

/** One answer a question, in their order. */
export const decideBatchAnswer = z.object({
  answers: z.array(
    z.union([decideAnswer, z.object({ error: z.object({ code: z.string(), message: z.string() }) })]),
  ),
});
export type DecideBatchAnswer = z.infer<typeof decideBatchAnswer>;

export const sessionBody = z.object({
  ...subjectFields,
  ttl: z.int().min(1).max(86_400).default(3_600).describe('Seconds that the token is good for.'),
});

export const sessionAnswer = z.object({ token: z.string(), expiresAt: z.number() });
export type SessionAnswer = z.infer<typeof sessionAnswer>;

const featureVector = z.record(z.string(), z.unknown());

export const subjectFeaturesAnswer = z.object({
  subject: z.string(),
  askedFor: z
    .string()
    .optional()
    .describe('The anonymous subject that was asked for: it has become `subject`.'),
  at: z.number(),
  position: z.number(),
  features: featureVector,
});

const time = z.number();
export const subjectStateAnswer = z.object({
  tenant: z.string(),
  subject: z.string(),
  partition: z.number(),
  position: z.number(),
  newest: time.nullable(),
  blob: z.object({ bytes: z.number(), version: z.number() }),
  session: z.string().nullable(),
  sessions: z.array(z.object({ name: z.string().nullable(), first: time, last: time })),
  moved: z.object({ to: z.string(), isVouched: z.boolean() }).nullable(),
  links: z.array(z.object({ anonymousId: z.string(), hasArrived: z.boolean() })),
  remembered: z.object({ ids: z.number(), oldest: time.nullable() }),
  timers: z.object({
    due: time.nullable(),
    pending: z.array(z.object({ trigger: z.string(), key: z.string(), due: time })),
    held: z.array(z.object({ trigger: z.string(), isTrue: z.boolean(), firedAt: time.nullable() })),
  }),
  features: z.array(
    z.object({ name: z.string(), kind: z.string(), value: z.unknown(), words: z.string().nullable() }),
  ),
  shared: z.array(z.string()),
  caps: z.array(z.object({ cap: z.string(), used: z.number(), limit: z.number() })),
});

export const decisionDetailAnswer = z.object({
  decision: z.looseObject({
    id: z.string(),
    tenant: z.string(),
    subject: z.string(),
    session: z.string().nullable(),
    placement: z.string(),
    startedBy: z.looseObject({ kind: z.enum(['trigger', 'timer', 'request']) }),
    time: z.number(),
    features: featureVector,
    context: featureVector,
    candidates: z.array(
      z.looseObject({
        action: z.string(),
        verdict: z.object({ stage: z.string(), rule: z.string(), saw: featureVector }),
        rank: z.number().optional(),
      }),
    ),
    action: z.string().nullable(),
    choicePropensity: z.number(),
    rung: z.string(),
    mode: z.enum(decisionModes),
  }),
  exposures: z.array(z.object({ at: z.number() })),
  outcomes: z.array(
    z.object({ at: z.number(), outcome: z.enum(outcomeNames), value: z.number().nullable() }),
  ),
});

export const explainBody = z.object({
  subject: z.string().min(1).max(512).describe('u:<userId>, a:<anonymousId>, or a plain user id.'),
  placement: z.string().min(1).max(64),
  session: z.string().min(1).max(256).optional(),
  context: z.looseObject({}).default({}).describe('Read by expressions as `context.<name>`.'),
});
export const explainAnswer = z.object({ decision: z.looseObject({ candidates: z.array(z.unknown()) }) });

/** Every answer that is not a success. */
export const errorAnswer = z.object({
  code: z.string().describe('Stable; for programs.'),
  message: z.string().describe('What happened and what to do; for people.'),
  requestId: z.string().describe('Also in the `x-request-id` header and in the log.'),
  details: z.record(z.string(), z.unknown()).optional(),
});
export type ErrorAnswer = z.infer<typeof errorAnswer>;

export const scopeNames = ['write', 'session', 'read', 'admin'] as const;
export type Scope = (typeof scopeNames)[number];
