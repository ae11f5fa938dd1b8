import { z } from 'zod';
import { description } from './parts.ts';

export const holdout = z.strictObject({
  description,
  share: z
    .number()
    .gt(0)
    .max(0.5)
    .default(0.05)
    .describe('Share of all subjects that get nothing. Default 0.05.'),
  period: z
    .enum(['month', 'quarter', 'fixed'])
    .default('quarter')
    .describe('How long one is held out; then lots are drawn anew. In UTC. Default quarter.'),
  salt: z.string().max(64).default('').describe('Another text draws other lots.'),
});
