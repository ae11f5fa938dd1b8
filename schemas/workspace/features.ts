import { z } from 'zod';
import { duration } from '../duration.ts';
import { common, computed, decimal, keyed, kind, of, shareable, windowed } from './feature-parts.ts';
import { description, expression, name } from './parts.ts';

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
