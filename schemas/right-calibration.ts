import { z } from 'zod';

/** Fewer labels than this say nothing that anyone could be confident of. */
export const leastLabels = 200;

const probability = z.number().min(0).max(1);

/**
 * How sure we are that one action is *right*, given what its model says of acceptance: fitted on what people said of it
 * (`presage calibrate` writes it), and good for decisions that the same model scored.
 */
export const rightCalibration = z
  .strictObject({
    calibration: z.literal(1).describe('Version of this format.'),
    target: z.literal('right'),
    action: z.string().min(1).max(64),
    model: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'a SHA-256 in 64 hex digits')
      .nullable()
      .describe('Which gave the scores that it was fitted on; null: rules.'),
    labels: z.int().min(0).describe('Mature ones that it was fitted on.'),
    from: z.int().describe('Time of the oldest verdict, Unix milliseconds.'),
    to: z.int().describe('Of the newest.'),
    x: z.array(probability).min(1).max(1_000).describe('Acceptance probability, rising.'),
    y: z.array(probability).min(1).max(1_000).describe('P(right); lines between, level outside.'),
  })
  .refine(({ x, y }) => x.length === y.length, 'as many y as x')
  .refine(({ x }) => x.every((value, at) => at === 0 || value > (x[at - 1] ?? 0)), 'x that rises')
  .refine(({ y }) => y.every((value, at) => at === 0 || value >= (y[at - 1] ?? 0)), 'y that does not fall');
export type RightCalibration = z.infer<typeof rightCalibration>;
