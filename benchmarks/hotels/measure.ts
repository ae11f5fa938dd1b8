import {
  clusterBootstrap,
  meanOf,
  type Reliability,
  randomFrom,
  reciprocalRanks,
  reliabilityOf,
} from '../../training/index.ts';
import { learn, type Parts, type Tuned } from './chaining.ts';
import { examplesOf, inputs } from './model.ts';
import type { ListQuestion } from './questions.ts';

const seeds = [1, 2, 3, 4, 5];

export interface Figures {
  readonly test: number;
  readonly asListed: number;
  readonly lastFirst: number;
  readonly bySeed: readonly number[];
  readonly mean: number;
  /** Over the last interacted first, paired by list, sessions drawn. */
  readonly gain: { readonly mean: number; readonly low: number; readonly high: number };
  readonly shuffled: number;
  readonly reliability: Reliability;
}

/** Opens the test part: baselines, the chosen candidate with five seeds, and once with shuffled labels. */
export async function measure({
  test,
  tuned,
  ...parts
}: Parts & { readonly test: readonly ListQuestion[]; readonly tuned: Tuned }): Promise<Figures> {
  const examples = examplesOf(test);
  const ranks = (scores: ArrayLike<number>): Float64Array => reciprocalRanks(examples, scores);
  const lastFirst = ranks(newestTouched(examples.values));
  const bySeed: Float64Array[] = [];
  let reliability: Reliability | null = null;
  for (const seed of seeds) {
    const scores = await learn(tuned.best, parts.learning, seed, examples, tuned.calibration, parts);
    reliability ??= reliabilityOf(scores, examples.labels);
    bySeed.push(ranks(scores));
    parts.say(`  seed ${seed}: ${meanOf(bySeed.at(-1) ?? []).toFixed(4)}`);
  }
  const shuffled = shuffledLabels(examplesOf(parts.learning));
  const blind = await learn(tuned.best, parts.learning, 1, examples, null, parts, shuffled);
  const differences = lastFirst.map((rank, list) => meanOf(bySeed.map((one) => one[list] ?? 0)) - rank);
  return {
    test: test.length,
    asListed: meanOf(ranks(new Float64Array(examples.labels.length))),
    lastFirst: meanOf(lastFirst),
    bySeed: bySeed.map(meanOf),
    mean: meanOf(bySeed.map(meanOf)),
    gain: clusterBootstrap(
      differences,
      test.map(({ session }) => session),
      { draws: 10_000 },
    ),
    shuffled: meanOf(ranks(blind)),
    reliability: reliability ?? reliabilityOf([], []),
  };
}

/** 1 for the hotel that the person last looked at, left for or searched for; 0 for the others. */
export function newestTouched(values: Float32Array): Float64Array {
  const hotel = inputs.indexOf('touched_by_hotel[action.item]');
  const newest = inputs.indexOf('touched');
  return Float64Array.from({ length: values.length / inputs.length }, (_, row) =>
    values[row * inputs.length + hotel] === values[row * inputs.length + newest] ? 1 : 0,
  );
}

/** In each list another hotel, any, is the chosen one. */
function shuffledLabels({ labels, lists }: ReturnType<typeof examplesOf>): Uint8Array {
  const random = randomFrom(1);
  const shuffled = new Uint8Array(labels.length);
  for (let from = 0, to = 0; from < labels.length; from = to) {
    while (to < labels.length && lists[to] === lists[from]) to++;
    shuffled[from + random.below(to - from)] = 1;
  }
  return shuffled;
}
