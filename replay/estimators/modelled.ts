import { eachRow, meanOf, type Sample, type Terms } from './sample.ts';

/** q(x, a) at each row's logged action, and q(x, pi): its mean over what the policy would do there. */
export interface Expected {
  readonly logged: Float64Array;
  readonly policy: Float64Array;
}

/**
 * Direct method, mean(q(x, pi)): as good as the model of rewards and no better; its intervals know nothing of the
 * model's error. Dudik, Langford, Li 2011, "Doubly Robust Policy Evaluation and Learning".
 */
export function dm(sample: Sample, { policy }: Expected): Terms {
  return meanOf(eachRow(sample, (row) => (sample.before[row] as number) * (policy[row] as number)));
}

/**
 * Doubly robust, mean(q(x, pi) + w (r - q(x, a))): unbiased with right propensities whatever the model, and of less
 * variance the better the model. Dudik, Langford, Li 2011; Dudik, Erhan, Langford, Li 2014. For a cascade q(x, pi) has
 * the weight of the slots before (Kiyohara et al. 2022, with a model of the slot's own reward); for whole slates the model's
 * terms keep the weights of their own draws, of which they are the mean.
 */
export function dr(sample: Sample, expected: Expected): Terms {
  return switchDr(sample, expected, Number.POSITIVE_INFINITY);
}

/**
 * Switch-DR, mean(q(x, pi) + w (r - q(x, a)) [w <= threshold]): where the weight is larger, the model alone speaks.
 * Wang, Agarwal, Dudik 2017, "Optimal and Adaptive Off-policy Evaluation in Contextual Bandits".
 */
export function switchDr(sample: Sample, { logged, policy }: Expected, threshold: number): Terms {
  const { weight, drawn, before, reward } = sample;
  return meanOf(
    eachRow(sample, (row) => {
      const w = weight[row] as number;
      const modelled = (before[row] as number) * (policy[row] as number);
      return w > threshold
        ? modelled
        : modelled + w * (reward[row] as number) - (drawn[row] as number) * (logged[row] as number);
    }),
  );
}

/**
 * The threshold with the least estimated variance + squared bound of the bias, among quantiles of the weights: the
 * choice that Wang et al. 2017 give in their section 4. The bound takes every reward beyond the threshold to be off by
 * the whole range of rewards; how often the policy is there is estimated as mean(w [w > threshold]).
 */
export function chooseThreshold(sample: Sample, expected: Expected, rewardRange: number): number {
  const sorted = sample.weight.slice().sort();
  let best = { threshold: Number.POSITIVE_INFINITY, loss: Number.POSITIVE_INFINITY };
  for (const share of [1, 0.999, 0.995, 0.99, 0.98, 0.95, 0.9, 0.8, 0.7, 0.5]) {
    const threshold = sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 1;
    const { numerator } = switchDr(sample, expected, threshold);
    let beyond = 0;
    for (const weight of sample.weight) if (weight > threshold) beyond += weight;
    const loss =
      varianceOf(numerator) / sample.rows + ((rewardRange * beyond) / Math.max(1, sample.rows)) ** 2;
    if (loss < best.loss) best = { threshold, loss };
  }
  return best.threshold;
}

function varianceOf(values: Float64Array): number {
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  return values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / Math.max(1, values.length - 1);
}
