import { createHash } from 'node:crypto';
import { PresageError } from '../../core/index.ts';
import type { Calibration, ModelManifest } from '../../schemas/index.ts';
import { calibrated } from '../../scorers/calibrate.ts';
import { buildRow } from '../../scorers/index.ts';
import {
  columnsOf,
  type Examples,
  fitLogistic,
  isotonic,
  logisticDefaults,
  logisticOnnx,
  logitsOf,
  plainColumns,
  platt,
  positivesOf,
  type Reliability,
  reliabilityOf,
  sigmoid,
  slice,
} from '../../training/index.ts';
import { inputsHash } from '../../workspace/index.ts';
import type { Labelled, LeftOut } from './labelled.ts';
import { fitLightgbm, lightgbmDefaults } from './lightgbm.ts';
import type { PythonTrainer } from './python/environment.ts';
import type { ModelSpec } from './spec.ts';

/** Less is refused: figures of so few labels would say nothing. */
export const least = { rows: 500, positives: 50, negatives: 50, inEachPart: 10 } as const;
/** By time: fitted on the oldest, calibrated on what came next, measured on the newest. */
const shares = { fit: 0.6, calibrate: 0.8 } as const;
/** Crosses of which action it is with each feature, at most. */
const mostCrosses = 300;

export interface TrainOptions {
  readonly spec: ModelSpec;
  readonly rows: readonly Labelled[];
  readonly leftOut: LeftOut;
  readonly metric: string;
  /** Of the workspace's outcomes, for people. */
  readonly longestWindow: string;
  readonly calibration: Calibration['kind'] | 'none';
  readonly seed: number;
  readonly now: number;
  /** Absent: FTRL. */
  readonly python?: PythonTrainer;
}

export interface TrainedModel {
  readonly file: Uint8Array;
  readonly manifest: ModelManifest;
  /** Input rows of the newest part, and what the trainer itself makes of them, before calibration. */
  readonly check: { readonly values: Float32Array; readonly predictions: Float64Array };
  readonly parts: { readonly fitted: number; readonly calibrated: number; readonly heldOut: number };
  readonly figures: Reliability;
  /** On the same rows: the rate of the rows fitted on, and what decided then, where a model did. */
  readonly logLossOfRate: number;
  readonly logLossOfChampion: number | null;
  /** Rows of actions that the workspace has no more. */
  readonly unknownActions: number;
}

/** Fits, calibrates and measures a model on labelled decisions. Throws PresageError `too_few_labels`. */
export async function train(options: TrainOptions): Promise<TrainedModel> {
  const { spec, calibration: kind } = options;
  const known = options.rows.filter(({ action }) => spec.actions.has(action));
  const examples = examplesOf(known, spec);
  refuseTooFew(examples, options);
  const count = known.length;
  const [fitTo, calibrateTo] = [Math.floor(count * shares.fit), Math.floor(count * shares.calibrate)];
  const fitOn = slice(examples, 0, fitTo);
  const [next, newest] = [slice(examples, fitTo, calibrateTo), slice(examples, calibrateTo, count)];
  const fitted = await fitWith(fitOn, [next, newest], options);
  const [ofNext = new Float64Array(), ofNewest = new Float64Array()] = fitted.predictions;
  const calibration = kind === 'none' ? null : (kind === 'platt' ? platt : isotonic)(ofNext, next.labels);
  const given =
    calibration === null ? ofNewest : ofNewest.map((probability) => calibrated(calibration, probability));
  const figures = reliabilityOf(given, newest.labels);
  const rate = positivesOf(fitOn) / fitTo;
  const said = known.slice(calibrateTo).flatMap(({ said }, at) => (said === null ? [] : [{ said, at }]));
  const logLossOfChampion =
    said.length < newest.labels.length
      ? null
      : reliabilityOf(
          said.map((one) => one.said),
          newest.labels,
        ).logLoss;
  const logLossOfRate = reliabilityOf(
    Float64Array.from(newest.labels, () => rate),
    newest.labels,
  ).logLoss;
  const parts = { fitted: fitTo, calibrated: calibrateTo - fitTo, heldOut: count - calibrateTo };
  const sha256 = createHash('sha256').update(fitted.file).digest('hex');
  return {
    file: fitted.file,
    check: { values: newest.values, predictions: ofNewest },
    parts,
    figures,
    logLossOfRate,
    logLossOfChampion,
    unknownActions: options.rows.length - known.length,
    manifest: {
      manifest: 1,
      id: spec.id,
      version: spec.version ?? sha256.slice(0, 12),
      file: `${spec.id}.onnx`,
      sha256,
      inputs: [...spec.inputs],
      inputsHash: inputsHash(spec.inputs),
      missing: spec.missing,
      defaults: { ...spec.defaults },
      block: spec.block,
      output: { meaning: 'probability', of: options.metric },
      calibration,
      reliability: {
        rows: figures.rows,
        brier: figures.brier,
        expectedCalibrationError: figures.expectedCalibrationError,
        bins: [...figures.bins],
      },
      metrics: {
        log_loss: figures.logLoss,
        log_loss_of_rate: logLossOfRate,
        ...(logLossOfChampion === null ? {} : { log_loss_of_champion: logLossOfChampion }),
        ...(figures.auc === null ? {} : { auc: figures.auc }),
        rows_fitted: parts.fitted,
        rows_calibrated: parts.calibrated,
        rows_held_out: parts.heldOut,
        seed: options.seed,
      },
      trained: {
        by: fitted.by,
        at: options.now,
        from: known[0]?.shownAt ?? 0,
        to: (known.at(-1)?.shownAt ?? 0) + 1,
        rows: count,
        positives: positivesOf(examples),
      },
    },
  };
}

interface Fitted {
  readonly file: Uint8Array;
  readonly by: string;
  /** The trainer's own probabilities of each further part. */
  readonly predictions: readonly Float64Array[];
}

async function fitWith(
  examples: Examples,
  others: readonly Examples[],
  { spec, seed, python }: TrainOptions,
): Promise<Fitted> {
  const names = spec.inputs.map(({ name }) => name);
  if (python !== undefined) {
    const options = { ...lightgbmDefaults, seed };
    const { file, by, scores } = await fitLightgbm(python, examples, plainColumns, options, spec.id, others);
    return { file, by, predictions: scores.slice(1).map((some) => some.map(sigmoid)) };
  }
  const columns = columnsOf(examples, plainColumns);
  const bins = binsFor(columns.labels.length);
  const model = fitLogistic(columns, { ...logisticDefaults, bins, crosses: crossesOf(names), seed });
  return {
    file: logisticOnnx(model, names, plainColumns, spec.id),
    by: 'FTRL-Proximal of presage',
    predictions: others.map((other) => logitsOf(model, other).map(sigmoid)),
  };
}

/**
 * As many bins as so many rows can tell apart in each cross. On simulated offers of five actions, 600 rows in 32 bins
 * learned nothing at all (AUC 0.50) and in 3 bins 0.62; 12,000 rows learned most in 6 to 8.
 */
export const binsFor = (rows: number): number => Math.min(32, Math.max(3, Math.floor(Math.cbrt(rows / 50))));

/** Which action it is, with each of the other inputs: what suits one visitor and not another. */
function crossesOf(names: readonly string[]): (readonly string[])[] {
  const actions = names.filter((name) => name.startsWith('is.'));
  const others = names.filter((name) => !name.startsWith('is.'));
  return actions.flatMap((action) => others.map((other) => [action, other])).slice(0, mostCrosses);
}

/** Rows as the scorer gets them. */
function examplesOf(rows: readonly Labelled[], spec: ModelSpec): Examples {
  const inputs = spec.inputs.map(({ name }) => name);
  const values = new Float32Array(rows.length * inputs.length);
  const { missing, defaults, block, id } = spec;
  const model = { id, version: '', path: '', sha256: '', inputs, missing, defaults, block };
  rows.forEach(({ action, features }, row) => {
    const attributes = spec.actions.get(action)?.attributes ?? {};
    buildRow(model, features, attributes, action, values, row * inputs.length);
  });
  return { inputs, values, labels: Uint8Array.from(rows, ({ label }) => label) };
}

function refuseTooFew(examples: Examples, { leftOut, metric, rows, longestWindow }: TrainOptions): void {
  const count = examples.labels.length;
  const positives = positivesOf(examples);
  const inParts = [
    slice(examples, 0, Math.floor(count * shares.fit)),
    slice(examples, Math.floor(count * shares.fit), Math.floor(count * shares.calibrate)),
    slice(examples, Math.floor(count * shares.calibrate), count),
  ];
  const isEnough =
    count >= least.rows &&
    positives >= least.positives &&
    count - positives >= least.negatives &&
    inParts.every((part) => {
      const some = positivesOf(part);
      return some >= least.inEachPart && part.labels.length - some >= least.inEachPart;
    });
  if (isEnough) return;
  const { simulated, immature, neverShown, severalSlots } = leftOut;
  const others = [
    `${simulated} simulated (--include-simulated takes them)`,
    `${immature} whose attribution window is still open (the longest is ${longestWindow}: outcomes in presage.yaml)`,
    `${neverShown} "${metric}" of what nobody acknowledged as shown`,
    `${severalSlots} of several slots`,
    `${rows.length - count} of actions that the workspace has no more`,
  ].join(', ');
  throw new PresageError(
    'too_few_labels',
    `There are ${count} labelled exposures, ${positives} of them "${metric}". A model needs at least ${least.rows}, with ${least.positives} of each kind, and ${least.inEachPart} of each in the oldest 60%, the next 20% and the newest 20%. Left out: ${others}.`,
    { details: { labelled: count, positives, ...leftOut } },
  );
}
