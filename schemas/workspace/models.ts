import { z } from 'zod';
import { description } from './parts.ts';

export const model = z.strictObject({
  description,
  file: z
    .string()
    .min(1)
    .describe(
      'Path of the ONNX file within the workspace. Where NAME.manifest.json stands beside NAME.onnx, the other fields may be left out.',
    ),
  version: z.string().min(1).max(64).optional().describe('Recorded with each decision it scores. Default 1.'),
  inputs: z
    .array(z.string().min(1))
    .min(1)
    .max(512)
    .optional()
    .describe(
      'Input columns in order: a feature, action.<attribute>, <feature>[action.<attribute>] (of a feature by a property, the value for this candidate), or is.<action> (1 for that action, else 0). Needed where there is no manifest.',
    ),
  missing: z
    .number()
    .optional()
    .describe('What a missing number becomes; a name in defaults wins. Default 0.'),
  defaults: z.record(z.string(), z.number()).optional().describe('What a missing number becomes, by input.'),
  block: z
    .number()
    .int()
    .min(1)
    .max(1_024)
    .optional()
    .describe(
      'Rows one call scores, always padded to it, so that a score never depends on who else is in the batch. Default 32.',
    ),
});
