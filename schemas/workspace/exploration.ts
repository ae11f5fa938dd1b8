import { z } from 'zod';
import { expression } from './parts.ts';

const floor = z
  .boolean()
  .default(true)
  .describe(
    'Every available action keeps at least min(1%, 10% / number of candidates): estimates need it. Default true.',
  );

/** How a placement tries what it does not expect to be best. Absent: it does not. */
export const exploration = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('epsilon_greedy').describe('By priority, and now and then in any order.'),
    epsilon: z.number().gt(0).max(1).describe('How often in any order, 0 to 1.'),
    floor,
  }),
  z.strictObject({
    kind: z.literal('softmax').describe('The higher the priority, the likelier.'),
    temperature: z
      .number()
      .min(0.05)
      .max(100)
      .default(1)
      .describe('Likelihood grows with priority ^ (1 / temperature): small is greedy. Default 1.'),
    floor,
  }),
  z.strictObject({
    kind: z
      .literal('thompson')
      .describe('By an acceptance probability drawn from what is believed of it, Beta(alpha, beta).'),
    alpha: expression.describe('CEL: accepted so far, plus what is assumed before; at least 1.'),
    beta: expression.describe('CEL: shown and not accepted so far, plus what is assumed before; at least 1.'),
    floor,
  }),
]);
