import type { LabelledSet } from './labelled.ts';
import type { TrainedModel } from './train.ts';

export interface Told {
  readonly labelled: LabelledSet;
  readonly trained: TrainedModel;
  /** The largest difference of the scorer from the trainer. */
  readonly furthest: number;
  readonly path: string;
  /** The same, as presage.yaml names it. */
  readonly file: string;
  readonly metric: string;
}

/** What was done, for people. */
export function trainingReport({ labelled, trained, furthest, path, file, metric }: Told): string {
  const { manifest, parts, figures } = trained;
  const { simulated, immature, neverShown, severalSlots } = labelled.leftOut;
  const positives = manifest.trained.positives ?? 0;
  const { rows } = manifest.trained;
  return [
    `Learned from ${count(rows)} exposures shown from ${day(manifest.trained.from)} to ${day(manifest.trained.to)}, ${count(positives)} of them "${metric}" (${percent(positives / rows)}).`,
    `Left out: ${count(simulated)} simulated, ${count(immature)} whose window is open, ${count(neverShown)} answers to what nobody acknowledged as shown, ${count(severalSlots)} of several slots, ${count(trained.unknownActions)} of actions that are no more.`,
    ...(labelled.otherWorkspace === 0
      ? []
      : [
          `${count(labelled.otherWorkspace)} were decided with another version of the workspace: features that were defined otherwise then are taken as they were.`,
        ]),
    `By time: fitted on ${count(parts.fitted)}, calibrated on the next ${count(parts.calibrated)} (${manifest.calibration?.kind ?? 'not at all'}), measured on the newest ${count(parts.heldOut)}:`,
    `  log loss ${figures.logLoss.toFixed(4)} (the rate alone ${trained.logLossOfRate.toFixed(4)}${trained.logLossOfChampion === null ? '' : `, the model that decided ${trained.logLossOfChampion.toFixed(4)}`}), Brier ${figures.brier.toFixed(4)}, calibration error ${figures.expectedCalibrationError.toFixed(4)}, AUC ${figures.auc?.toFixed(3) ?? 'unknown'}`,
    ...figures.bins.map(
      ({ rows: some, mean, rate }) =>
        `  ${count(some).padStart(8)} shown   said ${percent(mean).padStart(6)}   came ${percent(rate).padStart(6)}`,
    ),
    ...(figures.logLoss < trained.logLossOfRate
      ? []
      : ['It knows no more than the rate: do not use it to choose.']),
    `The scorer gives what the trainer gives within ${furthest.toExponential(1)}. Fitted by ${manifest.trained.by}.`,
    `Wrote ${path} and its manifest. To use it, write "file: ${file}" under models: ${manifest.id} in presage.yaml, then npx presage apply.`,
  ].join('\n');
}

const count = (value: number): string => value.toLocaleString('en-US');
const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;
const day = (time: number): string => new Date(time).toISOString().slice(0, 16).replace('T', ' ');
