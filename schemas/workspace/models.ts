import { z } from 'zod';
import { description } from './parts.ts';

export const model = z.strictObject({
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
