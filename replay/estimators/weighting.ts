import { eachRow, meanOf, type Sample, type Terms } from './sample.ts';

/**
 * Inverse propensity scoring, mean(w r): unbiased where the log's policy could choose all that this one chooses.
 * Horvitz, Thompson 1952; for logged bandits Strehl, Langford, Li, Kakade 2010; IPW in Open Bandit Pipeline.
 */
export function ips(sample: Sample): Terms {
  const { weight, reward } = sample;
  return meanOf(eachRow(sample, (row) => (weight[row] as number) * (reward[row] as number)));
}

/**
 * Self-normalised IPS, sum(w r) / sum(w), from the terms of IPS: a little biased, of less variance, and it moves along
 * when a constant is added to all rewards. Swaminathan, Joachims 2015; SNIPW in Open Bandit Pipeline. In slates a ratio
 * for each position, summed (McInerney et al. 2020).
 */
export function snips({ numerator }: Terms, sample: Sample): Terms {
  return { numerator, denominator: sample.weight };
}

/**
 * The sample with weights of at most `most`: less variance, biased downwards where rewards are not negative (truncated
 * importance sampling: Ionides 2008; capped weights: Bottou et al. 2013).
 */
export function clipped(sample: Sample, most: number): Sample {
  const cut = (weights: Float64Array): Float64Array => weights.map((weight) => Math.min(weight, most));
  const weight = cut(sample.weight);
  return { ...sample, weight, drawn: sample.drawn === sample.weight ? weight : cut(sample.drawn) };
}

/** Ionides' truncation: the square root of the number of decisions, which costs no consistency. */
export const usualClip = (sample: Sample): number => Math.sqrt(sample.decisions);
