import { z } from 'zod';
import { duration } from '../duration.ts';
import { description, expression, name } from './parts.ts';

export const of = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .describe('The event types it reads: one, a list, or "*" for every type.');

export const windowed = {
  window: duration.describe('How far back it looks, in event time: 30m, 24h, 30d.'),
  bucket: duration
    .optional()
    .describe(
      'Length of one bucket of the window. Default window / 60, at least 1s; divides the window evenly.',
    ),
};

export const common = {
  description,
  of,
  where: expression
    .optional()
    .describe('CEL: only events for which this holds. Reads event.<property>, as in event.price > 100.'),
  purposes: z.array(name).optional().describe('The only purposes it may be used for. Without this, any.'),
};

export const keyed = {
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

export const shareable = {
  shared: z
    .boolean()
    .optional()
    .describe(
      'One value for all subjects of the tenant, at most about a second old: item popularity. With by, each of 64 shards of a partition keeps `keys` keys.',
    ),
};

export const decimal = {
  property: z.string().min(1).describe('The numeric property it computes with.'),
  scale: z
    .number()
    .int()
    .min(0)
    .max(9)
    .default(4)
    .describe('Decimal places kept exactly; values are rounded half away from zero to it. Default 4.'),
};

export const kind = <const K extends string>(value: K, text: string) => z.literal(value).describe(text);

export const computed = { description, purposes: common.purposes };
