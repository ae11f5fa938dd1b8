import { z } from 'zod';

/** What stands beside a model's file: `ranker.onnx` has `ranker.manifest.json`. */
export const manifestSuffix = '.manifest.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in 64 hex digits');
const time = z.int().min(0).describe('Unix milliseconds.');
const finite = z.number();

/** A file beside the manifest: no path leads out of its folder. */
const fileName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/, 'the name of a file beside the manifest');

export const manifestInput = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(256)
    .describe(
      'As in `models.<model>.inputs`: a feature, action.<attribute>, <feature>[action.<attribute>] or is.<action>.',
    ),
  type: z.enum(['number', 'boolean']),
  definition: z
    .string()
    .max(64)
    .optional()
    .describe(
      'Hash of the definition that the feature had in training; a model is refused where the feature has become another. Absent: not compared.',
    ),
});
export type ManifestInput = z.infer<typeof manifestInput>;

const probability = z.number().min(0).max(1);

/** From the model's own output p to a calibrated probability. */
export const calibration = z.discriminatedUnion('kind', [
  /** sigmoid(a * ln(p / (1 - p)) + b), of p kept within [1e-7, 1 - 1e-7] (Platt, 1999, on the log odds). */
  z.strictObject({ kind: z.literal('platt'), a: finite, b: finite }),
  /** Straight lines through the points, level before the first and after the last; x rises, y does not fall. */
  z
    .strictObject({
      kind: z.literal('isotonic'),
      x: z.array(probability).min(1).max(1_000),
      y: z.array(probability).min(1).max(1_000),
    })
    .refine(({ x, y }) => x.length === y.length, 'as many y as x')
    .refine(({ x }) => x.every((value, at) => at === 0 || value > (x[at - 1] ?? 0)), 'x that rises')
    .refine(({ y }) => y.every((value, at) => at === 0 || value >= (y[at - 1] ?? 0)), 'y that does not fall'),
]);
export type Calibration = z.infer<typeof calibration>;

/** How probabilities fare against outcomes, by bin of the calibrated probability. */
const reliability = z.strictObject({
  rows: z.int().min(0),
  brier: finite.optional(),
  expectedCalibrationError: finite.optional(),
  bins: z
    .array(
      z.strictObject({
        from: probability,
        to: probability,
        rows: z.int().min(0),
        mean: probability,
        rate: probability,
      }),
    )
    .max(100)
    .default([]),
});

/**
 * What a model is, written by whoever trained it and held against the model and the workspace when it is loaded:
 * `presage train` writes it. Only shape is checked here.
 */
export const modelManifest = z.strictObject({
  manifest: z.literal(1).describe('Version of this format.'),
  id: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'a name as in `models:` of the workspace'),
  version: z.string().min(1).max(64).describe('Recorded with each decision that the model scores.'),
  file: fileName,
  sha256,
  inputs: z.array(manifestInput).min(1).max(512).describe('In the order of the columns.'),
  inputsHash: z
    .string()
    .describe('`inputsHash(inputs)` of workspace/: names, types and definitions in their order.'),
  missing: finite.default(0).describe('What a missing number becomes; a name in defaults wins.'),
  defaults: z.record(z.string(), finite).default({}),
  block: z.int().min(1).max(1_024).default(32).describe('Rows of one call.'),
  output: z.strictObject({
    meaning: z.literal('probability'),
    of: z.string().max(64).describe('The outcome that is predicted, such as accepted.'),
  }),
  calibration: calibration.nullable().default(null).describe('null: the output is used as it is.'),
  reliability: reliability.nullable().default(null),
  metrics: z
    .record(z.string().max(64), z.union([finite, z.string().max(200)]))
    .default({})
    .describe('Figures of the evaluation, by name, such as log_loss and auc.'),
  trained: z.strictObject({
    by: z.string().max(100).describe('The trainer and its version.'),
    at: time,
    from: time.describe('Decisions from here on,'),
    to: time.describe('to before here.'),
    rows: z.int().min(0),
    positives: z.int().min(0).optional(),
  }),
  quantised: z
    .strictObject({
      file: fileName,
      sha256,
      bound: z.number().gt(0).max(1).describe('The largest difference of a probability that is accepted.'),
      rows: z
        .array(z.array(finite).min(1).max(512))
        .min(1)
        .max(1_000)
        .describe('Input rows on which the difference is measured when the model is loaded.'),
    })
    .optional()
    .describe('The same model in 8-bit integers, used where it is as good within the bound.'),
});
export type ModelManifest = z.infer<typeof modelManifest>;
