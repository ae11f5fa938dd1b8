import { z } from 'zod';

/**
 * The shape of `presage.yaml`. Only shape: names that refer to each other, expressions and files are checked when the
 * workspace is compiled (workspace/compile.ts). Every object is strict, so that a misspelt key is an error.
 */

const name = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{0,63}$/,
    'a name: lower-case letters, digits and _, beginning with a letter, at most 64 characters',
  );

/** `500ms`, `30s`, `5m`, `1h`, `7d`. */
export const duration = z.string().regex(/^[1-9][0-9]*(ms|s|m|h|d)$/, 'a duration such as 30s, 5m, 1h or 7d');

const expression = z.string().min(1).max(2_000);
const numberOrExpression = z.union([z.number(), expression]);

export const propertyType = z.enum(['string', 'number', 'boolean', 'list', 'object']);

const eventType = z.strictObject({
  description: z.string().optional(),
  properties: z.record(z.string().min(1), propertyType).default({}),
  required: z.array(z.string()).default([]),
  /** A late event beyond this is counted as late; it always updates features. */
  lateness: duration.default('1h'),
});

/** Event types a feature reads: one, several, or `*` for all. */
const of = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);
const windowed = {
  window: duration,
  /** Length of one bucket; default window / 60, at least 1 s. */ bucket: duration.optional(),
};
const common = {
  description: z.string().optional(),
  of,
  /** Only events for which this holds; reads `event.<property>`. */
  where: expression.optional(),
  purposes: z.array(name).optional(),
};
/** One value per value of this property, as a map; at most `keys` of them, the least recently updated go first. */
const keyed = { by: z.string().min(1).optional(), keys: z.number().int().min(1).max(256).default(32) };
/** Decimal places kept exactly; values are rounded half away from zero to it. */
const decimal = { property: z.string().min(1), scale: z.number().int().min(0).max(9).default(4) };

export const featureDefinition = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('count'), ...common, ...windowed, ...keyed }),
  z.strictObject({ kind: z.literal('sum'), ...common, ...windowed, ...keyed, ...decimal }),
  z.strictObject({ kind: z.literal('min'), ...common, ...windowed, ...keyed, ...decimal }),
  z.strictObject({ kind: z.literal('max'), ...common, ...windowed, ...keyed, ...decimal }),
  z.strictObject({ kind: z.literal('mean'), ...common, ...windowed, ...keyed, ...decimal }),
  /** The property of the newest event by (event time, event id). */
  z.strictObject({
    kind: z.literal('last'),
    ...common,
    property: z.string().min(1),
    type: z.enum(['string', 'number']).default('string'),
  }),
  /** The property of the newest n events, newest first, as strings. */
  z.strictObject({
    kind: z.literal('last_n'),
    ...common,
    property: z.string().min(1),
    n: z.number().int().min(1).max(50),
  }),
  /** How many different values of the property; exact up to `max`, which it then stays at. */
  z.strictObject({
    kind: z.literal('distinct'),
    ...common,
    ...windowed,
    property: z.string().min(1),
    max: z.number().int().min(1).max(1_000).default(100),
  }),
  /** Seconds of event time since the newest such event. */
  z.strictObject({ kind: z.literal('time_since'), ...common }),
  /** Of the subject's current session (gap 30 min, or as the client says): number of events, or seconds since its first. */
  z.strictObject({ kind: z.literal('session'), ...common, measure: z.enum(['count', 'duration']) }),
]);
export type FeatureSource = z.infer<typeof featureDefinition>;

const cap = z.discriminatedUnion('per', [
  z.strictObject({ per: z.literal('session'), limit: z.number().int().min(1).max(1_000) }),
  z.strictObject({ per: z.literal('subject'), limit: z.number().int().min(1).max(100), window: duration }),
]);

const action = z.strictObject({
  description: z.string().optional(),
  placements: z.array(name).min(1),
  /** May it be offered at all. */
  eligible: expression.optional(),
  /** Business value in the tenant's currency, > 0, stated for help too. */
  value: numberOrExpression,
  /** Context weight C; default 1. */
  weight: numberOrExpression.default(1),
  lever: numberOrExpression.default(1),
  /** Numbers that the model may read as `action.<name>`. */
  attributes: z.record(name, z.number()).default({}),
  purpose: name.optional(),
  caps: z.array(cap).max(8).default([]),
  mode: z.enum(['act', 'observe']).default('act'),
  /** What the client shows. */
  content: z.record(z.string(), z.unknown()).default({}),
  /** Probability used by the rules rung, when no model can answer in time. */
  rules_probability: z.number().min(0).max(1).default(0.05),
});

const placement = z.strictObject({
  description: z.string().optional(),
  /** An offer is never shown later than this after its decision. */
  expires: duration.default('10m'),
  /** The model that scores this placement's candidates; without one, rules do. */
  model: name.optional(),
});

const trigger = z.strictObject({
  description: z.string().optional(),
  on: z.string().min(1),
  when: expression.optional(),
  placement: name,
});

const model = z.strictObject({
  description: z.string().optional(),
  /** Path of the ONNX file within the workspace. */
  file: z.string().min(1),
  version: z.string().default('1'),
  /** Input columns in order: a feature name, `action.<attribute>`, or `is.<action>` (1 for that action, else 0). */
  inputs: z.array(z.string().min(1)).min(1).max(512),
  /** What a missing number becomes; a name in `defaults` wins. */
  missing: z.number().default(0),
  defaults: z.record(z.string(), z.number()).default({}),
  /** Rows one call scores, always padded to it, so that a score never depends on who else is in the batch. */
  block: z.number().int().min(1).max(1_024).default(32),
});

export const workspaceSource = z.strictObject({
  version: z.literal(1),
  name,
  description: z.string().optional(),
  /** Undeclared event types: `open` stores and shows them as undeclared, `closed` refuses them. */
  events: z.enum(['open', 'closed']).default('open'),
  tenants: z.record(
    name,
    z.strictObject({ currency: z.string().length(3).default('EUR'), timezone: z.string().default('UTC') }),
  ),
  purposes: z.record(name, z.strictObject({ description: z.string().optional() })).default({}),
  types: z.record(z.string().min(1), eventType).default({}),
  features: z.record(name, featureDefinition).default({}),
  placements: z.record(name, placement).default({}),
  actions: z.record(name, action).default({}),
  triggers: z.record(name, trigger).default({}),
  models: z.record(name, model).default({}),
  /** Milliseconds that scoring may take per batch; when it is spent the rest is decided by rules. */
  scoring: z.strictObject({ budget: duration.default('20ms') }).prefault({}),
  /** How many ids, and how many hours of event time, a subject's de-duplication remembers. */
  deduplication: z
    .strictObject({
      ids: z.number().int().min(16).max(1_024).default(1_024),
      window: duration.default('24h'),
    })
    .prefault({}),
  session: z.strictObject({ gap: duration.default('30m') }).prefault({}),
  feed: z.strictObject({ map: z.string().optional(), tenant: name.optional() }).prefault({}),
  /** A module that plays visitors (`presage simulate`; started by `presage start` where present). */
  simulate: z.strictObject({ module: z.string() }).optional(),
  /** A folder of static files served under /demo/. */
  demo: z.strictObject({ site: z.string() }).optional(),
});
export type WorkspaceSource = z.infer<typeof workspaceSource>;
