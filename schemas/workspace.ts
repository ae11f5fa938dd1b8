import { z } from 'zod';
import { duration } from './duration.ts';

/**
 * The shape of `presage.yaml`. Only shape: names that refer to each other, expressions and files are checked when the
 * workspace is compiled (workspace/compile.ts). Every object is strict, so that a misspelt key is an error.
 * The descriptions are what an editor shows for a key (schemas/presage.schema.json).
 */

const name = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{0,63}$/,
    'a name: lower-case letters, digits and _, beginning with a letter, at most 64 characters',
  );

const expression = z.string().min(1).max(2_000);
const numberOrExpression = z.union([z.number(), expression]);
const description = z.string().describe('For people; nothing reads it.').optional();

export const propertyType = z
  .enum(['string', 'number', 'boolean', 'list', 'object'])
  .describe('The JSON type of this property.');

const eventType = z.strictObject({
  description,
  properties: z
    .record(z.string().min(1), propertyType)
    .default({})
    .describe(
      'Properties and their types. Others may come too, and are stored; definitions read only those of a type that are declared, where it declares any.',
    ),
  required: z.array(z.string()).default([]).describe('Properties without which an event is refused.'),
  lateness: duration
    .default('1h')
    .describe('An event later than this is counted as late; it still updates features. Default 1h.'),
});

const of = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .describe('The event types it reads: one, a list, or "*" for every type.');
const windowed = {
  window: duration.describe('How far back it looks, in event time: 30m, 24h, 30d.'),
  bucket: duration
    .optional()
    .describe(
      'Length of one bucket of the window. Default window / 60, at least 1s; divides the window evenly.',
    ),
};
const common = {
  description,
  of,
  where: expression
    .optional()
    .describe('CEL: only events for which this holds. Reads event.<property>, as in event.price > 100.'),
  purposes: z.array(name).optional().describe('The only purposes it may be used for. Without this, any.'),
};
const keyed = {
  by: z
    .string()
    .min(1)
    .optional()
    .describe('One value per value of this property: views_by_category["shoes"] in expressions.'),
  keys: z
    .number()
    .int()
    .min(1)
    .max(256)
    .default(32)
    .describe('With by: how many keys are kept; the least recently updated go first. Default 32.'),
};
const shareable = {
  shared: z
    .boolean()
    .optional()
    .describe(
      'One value for all subjects of the tenant, at most about a second old: item popularity. With by, each of 64 shards of a partition keeps `keys` keys.',
    ),
};
const decimal = {
  property: z.string().min(1).describe('The numeric property it computes with.'),
  scale: z
    .number()
    .int()
    .min(0)
    .max(9)
    .default(4)
    .describe('Decimal places kept exactly; values are rounded half away from zero to it. Default 4.'),
};
const kind = <const K extends string>(value: K, text: string) => z.literal(value).describe(text);
const computed = { description, purposes: common.purposes };

const sequenceStep = z.strictObject({
  of,
  where: expression.optional().describe('CEL: only events for which this holds. Reads event.<property>.'),
});

export const featureDefinition = z.discriminatedUnion('kind', [
  z.strictObject({ kind: kind('count', 'How many events.'), ...common, ...windowed, ...keyed, ...shareable }),
  z.strictObject({
    kind: kind('sum', 'The sum of a property.'),
    ...common,
    ...windowed,
    ...keyed,
    ...shareable,
    ...decimal,
  }),
  z.strictObject({
    kind: kind('min', 'The least value of a property.'),
    ...common,
    ...windowed,
    ...keyed,
    ...shareable,
    ...decimal,
  }),
  z.strictObject({
    kind: kind('max', 'The greatest value of a property.'),
    ...common,
    ...windowed,
    ...keyed,
    ...shareable,
    ...decimal,
  }),
  z.strictObject({
    kind: kind('mean', 'The mean of a property.'),
    ...common,
    ...windowed,
    ...keyed,
    ...shareable,
    ...decimal,
  }),
  z.strictObject({
    kind: kind('last', 'The property of the newest event by (event time, event id).'),
    ...common,
    property: z.string().min(1).describe('The property whose newest value it is.'),
    type: z
      .enum(['string', 'number'])
      .default('string')
      .describe('What it is in expressions. Default string.'),
  }),
  z.strictObject({
    kind: kind('last_n', 'The property of the newest n events, newest first, as text.'),
    ...common,
    property: z.string().min(1).describe('The property whose newest values it lists.'),
    n: z.number().int().min(1).max(50).describe('How many, at most 50.'),
  }),
  z.strictObject({
    kind: kind('distinct', 'How many different values of a property.'),
    ...common,
    ...windowed,
    property: z.string().min(1).describe('The property whose different values are counted.'),
    max: z
      .number()
      .int()
      .min(1)
      .max(1_000)
      .default(100)
      .describe('Exact up to this number, at which it then stays. Default 100.'),
  }),
  z.strictObject({
    kind: kind('time_since', 'Seconds of event time since the newest such event.'),
    ...common,
  }),
  z.strictObject({
    kind: kind('session', "Of the subject's current session (a gap ends it, or the client says so)."),
    ...common,
    measure: z.enum(['count', 'duration']).describe('Number of events, or seconds since the first of them.'),
  }),
  z.strictObject({
    kind: kind(
      'decay',
      'How many events, or the sum of a property, each counting half as much every half-life.',
    ),
    ...common,
    half_life: duration.describe(
      'After this much event time an event counts half: 10m, 1d, 7d. From 1s to 365d, in whole seconds.',
    ),
    property: decimal.property.optional().describe('The numeric property it sums. Without it, events count.'),
    scale: decimal.scale,
  }),
  z.strictObject({
    kind: kind('approx_distinct', 'About how many different values of a property, however many there are.'),
    ...common,
    ...windowed,
    property: z.string().min(1).describe('The property whose different values are counted.'),
    precision: z
      .number()
      .int()
      .min(8)
      .max(14)
      .default(10)
      .describe(
        'A sketch has 2^precision registers: 10 errs by 3.3% (standard error), 12 by 1.6%, at four times the memory. At most 65536 registers in all buckets. Default 10.',
      ),
  }),
  z.strictObject({
    kind: kind('top_k', 'The most frequent values of a property, most frequent first, as text.'),
    ...common,
    ...windowed,
    property: z.string().min(1).describe('The property whose values are ranked.'),
    k: z.number().int().min(1).max(50).describe('How many, at most 50.'),
    keys: z
      .number()
      .int()
      .min(1)
      .max(256)
      .default(64)
      .describe(
        'How many different values one bucket counts; exact up to it. At least k; at most 16384 in all buckets. Default 64.',
      ),
  }),
  z.strictObject({
    kind: kind('sequence', 'One event after another: A, then B within ten minutes.'),
    description,
    purposes: common.purposes,
    steps: z
      .array(sequenceStep)
      .min(2)
      .max(8)
      .describe('The events in their order, each of a type and, if given, with a condition.'),
    within: duration.describe('The longest time from the first step to the last.'),
    window: duration.describe('How far back sequences count, from first step to last, in event time.'),
    same: z
      .string()
      .min(1)
      .optional()
      .describe('A property that has the same value in all steps, such as the item.'),
    measure: z
      .enum(['count', 'since', 'any'])
      .default('count')
      .describe(
        'How many were completed, seconds since the last was completed, or whether any was. Default count.',
      ),
    events: z
      .number()
      .int()
      .min(8)
      .max(1_024)
      .default(128)
      .describe('How many of the newest steps are kept; exact while the window has no more. Default 128.'),
  }),
  z.strictObject({
    kind: kind('ratio', 'One feature divided by another.'),
    ...computed,
    numerator: name.describe('The feature above the line; a number.'),
    denominator: name.describe('The feature below the line; a number.'),
    when_zero: z
      .number()
      .nullable()
      .default(null)
      .describe('The value where the denominator is 0. Default null: missing.'),
  }),
  z.strictObject({
    kind: kind('derived', 'Computed from other features whenever it is read.'),
    ...computed,
    expression: expression.describe('CEL over other features by name, as in carts_1d - orders_1d.'),
    type: z
      .enum(['number', 'boolean'])
      .default('number')
      .describe('What the expression gives. Default number.'),
  }),
]);
export type FeatureSource = z.infer<typeof featureDefinition>;

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
]);

const action = z.strictObject({
  description,
  placements: z.array(name).min(1).describe('Where it can be shown.'),
  eligible: expression
    .optional()
    .describe('CEL: may it be offered at all. Reads features by name, event., action. and context.'),
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
  caps: z.array(cap).max(8).default([]).describe('How often it may be shown.'),
  mode: z
    .enum(['act', 'observe'])
    .default('act')
    .describe('act: delivered. observe: decided and recorded, never delivered. Default act.'),
  content: z.record(z.string(), z.unknown()).default({}).describe('What the client shows; any JSON.'),
  rules_probability: z
    .number()
    .min(0)
    .max(1)
    .default(0.05)
    .describe('Acceptance probability that rules assume when no model can answer in time. Default 0.05.'),
});

const placement = z.strictObject({
  description,
  expires: duration
    .default('10m')
    .describe('An offer is never shown later than this after its decision. Default 10m.'),
  model: name
    .optional()
    .describe("The model that scores this placement's candidates; without one, rules do."),
});

const trigger = z.strictObject({
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

const model = z.strictObject({
  description,
  file: z.string().min(1).describe('Path of the ONNX file within the workspace.'),
  version: z.string().default('1').describe('Recorded with each decision it scores.'),
  inputs: z
    .array(z.string().min(1))
    .min(1)
    .max(512)
    .describe(
      'Input columns in order: a feature, action.<attribute>, <feature>[action.<attribute>] (of a feature by a property, the value for this candidate), or is.<action> (1 for that action, else 0).',
    ),
  missing: z
    .number()
    .default(0)
    .describe('What a missing number becomes; a name in defaults wins. Default 0.'),
  defaults: z.record(z.string(), z.number()).default({}).describe('What a missing number becomes, by input.'),
  block: z
    .number()
    .int()
    .min(1)
    .max(1_024)
    .default(32)
    .describe(
      'Rows one call scores, always padded to it, so that a score never depends on who else is in the batch. Default 32.',
    ),
});

const sourcePath = (text: string) => z.string().min(1).max(256).optional().describe(text);

const source = z.strictObject({
  description,
  topic: z.string().min(1).max(249).describe('The Kafka topic it reads.'),
  tenant: name.describe('The tenant its events belong to.'),
  format: z
    .enum(['json', 'confluent-json', 'confluent-avro'])
    .default('json')
    .describe(
      'Of the values: plain JSON, or framed by a Confluent-compatible schema registry (JSON Schema or Avro). Default json.',
    ),
  from: z
    .enum(['earliest', 'latest'])
    .default('earliest')
    .describe('Where a source that never read begins. Default earliest.'),
  keyed: z
    .boolean()
    .default(false)
    .describe(
      "The topic has our log's partitions and is keyed by user or anonymous id with Kafka's own partitioner: each record keeps its partition, and one that stands elsewhere is refused. Default false.",
    ),
  type: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .describe('The event type of every record. Without it, map.type is read.'),
  map: z
    .strictObject({
      id: sourcePath('Event id. Default id, else messageId, else topic/partition/offset.'),
      type: sourcePath('Event type. Default type, else event.'),
      user: sourcePath('User id. Default userId.'),
      anonymous: sourcePath('Anonymous id. Default anonymousId.'),
      session: sourcePath('Session id. Default none.'),
      time: sourcePath(
        "Event time: Unix milliseconds or ISO 8601. Default time, else timestamp, else the record's own time.",
      ),
      properties: sourcePath('An object. Default properties; where there is none, the whole value.'),
    })
    .prefault({})
    .describe(
      "Where the parts of an event stand in a value: paths such as order.customer_id, or $key, the record's key.",
    ),
});
export type SourceDefinition = z.infer<typeof source>;

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
      }),
    )
    .describe('Who shares this installation, each with data of its own. At least one.'),
  purposes: z
    .record(name, z.strictObject({ description }))
    .default({})
    .describe('What data may be used for.'),
  types: z.record(z.string().min(1), eventType).default({}).describe('Event types, by name.'),
  features: z
    .record(name, featureDefinition)
    .default({})
    .describe("Values computed from a subject's events, by name."),
  placements: z.record(name, placement).default({}).describe('Where actions can be shown, by name.'),
  actions: z.record(name, action).default({}).describe('What can be offered, by name.'),
  triggers: z.record(name, trigger).default({}).describe('What starts a decision, by name.'),
  models: z.record(name, model).default({}).describe('ONNX models that predict acceptance, by name.'),
  sources: z
    .record(name, source)
    .default({})
    .describe('Kafka topics of your own whose records become events, by name. Needs KAFKA_BROKERS.'),
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
      ttl: duration
        .optional()
        .describe(
          'A subject silent for this long, in event time, is forgotten: features, timers and caps. Default 365d, or as long as the longest window or wait.',
        ),
    })
    .prefault({})
    .describe('How long subjects are remembered.'),
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
