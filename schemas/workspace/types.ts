import { z } from 'zod';
import { duration } from '../duration.ts';
import { description } from './parts.ts';

export const propertyType = z
  .enum(['string', 'number', 'boolean', 'list', 'object'])
  .describe('The JSON type of this property.');

export const eventType = z.strictObject({
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
