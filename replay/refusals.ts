import { type Diagnostics, surprise } from './diagnostics.ts';
import type { ModelQuality } from './reward/cross-fit.ts';

/** What estimates must hold to before a policy is recommended for them. */
export const limits = {
  outsideSupport: 0.01,
  surprise: 3,
  ess: 100,
  essShare: 0.01,
  effectivePositives: 10,
  fewPositives: 30,
  oneRow: 0.25,
} as const;

export interface LargestShare {
  readonly estimate: string;
  readonly share: number;
}

/**
 * Why nothing is recommended, one sentence each, which begins with a fixed word for programs; empty: nothing stands
 * against it. The estimates themselves stay what they are.
 */
export function refusals(diagnostics: Diagnostics, shares: readonly LargestShare[]): string[] {
  const { outsideSupport, weights, ess, decisions, effectivePositives } = diagnostics;
  const reasons: string[] = [];
  if (outsideSupport > limits.outsideSupport)
    reasons.push(
      `support: ${percent(outsideSupport)} of what the policy would do is never done in the log (limit 1%), and nothing is known of it`,
    );
  const off = surprise(weights);
  if (off > limits.surprise)
    reasons.push(
      `weights: their mean is ${number(weights.mean)} and not 1, ${number(off)} standard errors away (limit 3): propensities are wrong, or the log is not all that was decided`,
    );
  const leastEss = Math.max(limits.ess, limits.essShare * decisions);
  if (ess < leastEss)
    reasons.push(
      `ess: the log is worth ${number(ess)} decisions of this policy (effective sample size), and ${number(leastEss)} are needed: the larger of 100 and 1%`,
    );
  if (effectivePositives < limits.effectivePositives)
    reasons.push(
      `positives: the rewards are worth ${number(effectivePositives)} equal ones, and 10 are needed`,
    );
  const largest = shares.reduce<LargestShare | null>(
    (most, one) => (most === null || one.share > most.share ? one : most),
    null,
  );
  if (largest !== null && largest.share > limits.oneRow)
    reasons.push(
      `one_row: a single row carries ${percent(largest.share)} of ${largest.estimate} (limit 25%)`,
    );
  return reasons;
}

/** What does not stand against it, and should be known. */
export function warnings({ effectivePositives }: Diagnostics, model: ModelQuality | null): string[] {
  const list: string[] = [];
  if (effectivePositives >= limits.effectivePositives && effectivePositives < limits.fewPositives)
    list.push(
      `positives: the rewards are worth only ${number(effectivePositives)} equal ones; under 30, an interval misses the value more often than it says`,
    );
  if (model !== null && !model.isBetterThanConstant)
    list.push(
      `model: out of fold, the model of rewards has a ${model.loss} of ${fine(model.outOfFold)} and a constant one of ${fine(model.constant)}: it has learned nothing that DM or DR could use`,
    );
  return list;
}

/** Losses differ in late digits. */
const fine = (loss: number): string => String(Number(loss.toPrecision(6)));

const percent = (share: number): string =>
  Number.isFinite(share) ? `${number(100 * share)}%` : 'more than all';

export function number(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'infinitely many' : String(value);
  return Math.abs(value) >= 1_000
    ? Math.round(value).toLocaleString('en-US')
    : String(Number(value.toPrecision(3)));
}
