import type { Calibration } from '../../schemas/index.ts';
import { meanOf, platt, reciprocalRanks } from '../../training/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { scoresOf, writeModel } from './engine.ts';
import { examplesOf } from './model.ts';
import type { ListQuestion } from './questions.ts';
import type { Candidate } from './trainers.ts';

/** Shares of the log's rows: learn from what is before the first, look at what is between both. */
const folds = [
  [0.4, 0.5],
  [0.5, 0.6],
  [0.6, 0.7],
] as const;

export interface Parts {
  readonly example: string;
  readonly folder: string;
  readonly workspace: CompiledWorkspace;
  readonly learning: readonly ListQuestion[];
  readonly say: (line: string) => void;
}

export interface Tuned {
  readonly best: Candidate;
  /** By candidate: mean reciprocal rank of each fold. */
  readonly tried: ReadonlyMap<string, readonly number[]>;
  /** Fitted on the newest fold, which the model that it calibrates had not seen. */
  readonly calibration: Calibration;
}

/** Forward chaining: each candidate learns from the past and is looked at on what came next; the best mean wins. */
export async function bestOf(
  all: readonly Candidate[],
  { rows, ...parts }: Parts & { readonly rows: number },
): Promise<Tuned> {
  const tried = new Map<string, number[]>();
  let found: { best: Candidate; calibration: Calibration; mean: number } | null = null;
  for (const candidate of all) {
    const means: number[] = [];
    let calibration: Calibration = { kind: 'platt', a: 1, b: 0 };
    for (const [from, to] of folds) {
      const past = parts.learning.filter(({ row }) => row < from * rows);
      const next = examplesOf(parts.learning.filter(({ row }) => row >= from * rows && row < to * rows));
      const scores = await learn(candidate, past, 1, next, null, parts);
      means.push(meanOf(reciprocalRanks(next, scores)));
      calibration = platt(scores, next.labels);
    }
    tried.set(candidate.name, means);
    const mean = meanOf(means);
    parts.say(
      `  ${candidate.name}: ${means.map((value) => value.toFixed(4)).join(', ')}; mean ${mean.toFixed(4)}`,
    );
    if (found === null || mean > found.mean) found = { best: candidate, calibration, mean };
  }
  if (found === null) throw new Error('nothing to try');
  return { best: found.best, calibration: found.calibration, tried };
}

/** Fits a candidate on questions and gives the engine's scores of examples. */
export async function learn(
  candidate: Candidate,
  questions: readonly ListQuestion[],
  seed: number,
  examples: ReturnType<typeof examplesOf>,
  calibration: Calibration | null,
  { example, folder, workspace }: Pick<Parts, 'example' | 'folder' | 'workspace'>,
  labels?: Uint8Array,
): Promise<Float32Array> {
  const rows = examplesOf(questions);
  const learned = labels === undefined ? rows : { ...rows, labels };
  const { file, by } = await candidate.fit(learned, seed);
  const [from, to] = [questions[0]?.time ?? 0, (questions.at(-1)?.time ?? 0) + 1];
  writeModel(folder, workspace, { file, by, from, to, examples: learned, calibration });
  return scoresOf(example, folder, examples);
}
