import type { Policy, SlotChoice } from './items.ts';
import { orderProbability } from './thompson.ts';
import { logWeights, sumOf } from './weights.ts';

export interface Propensities {
  /** P(a_k | earlier slots, A_k), in order. */
  readonly slots: readonly number[];
  /** Their product. */
  readonly slate: number;
}

/**
 * The probability with which the policy chose what it chose, of what was available: `choicePropensity`. A pure function
 * of what a record holds. The draw is a mixture of the policy's own ranking and a uniform permutation, and one coin
 * serves all slots, so what the earlier slots show says something of the coin: P(a_k | earlier) is the ratio of the
 * probabilities of both prefixes.
 */
export function choicePropensities(policy: Policy, slots: readonly SlotChoice[]): Propensities {
  const { exploration } = policy;
  // By priority alone, what was chosen was certain, whatever was available.
  if (exploration === undefined) return { slots: slots.map(() => 1), slate: 1 };
  const weight = policy.items.length < 2 ? 0 : exploration.uniform;
  const own = ownPrefixes(policy, slots);
  const given: number[] = [];
  let uniform = 1;
  let before = 1;
  for (const [index, { available }] of slots.entries()) {
    uniform /= Math.max(1, available.length);
    const prefix = (1 - weight) * (own[index] ?? 0) + weight * uniform;
    given.push(before > 0 ? prefix / before : 0);
    before = prefix;
  }
  return { slots: given, slate: before };
}

/** Probabilities, in the policy's own ranking, of the first slot's choice, the first two slots', and so on. */
function ownPrefixes(policy: Policy, slots: readonly SlotChoice[]): number[] {
  const { items, exploration } = policy;
  if (exploration?.kind === 'thompson')
    return slots.map((_, index) => orderProbability(items, slots.slice(0, index + 1)));
  const next = nextIn(policy);
  let prefix = 1;
  return slots.map(({ chosen, available }) => {
    prefix *= chosen === null ? 1 : next(available, chosen);
    return prefix;
  });
}

/** P(this one is next) of what is available, in the own ranking of a policy without memory: greedy or softmax. */
export function nextIn({
  items,
  exploration,
}: Policy): (available: readonly number[], place: number) => number {
  if (exploration?.kind !== 'softmax')
    return (available, place) => (place === Math.min(...available) ? 1 : 0);
  const weights = logWeights(items, exploration.temperature ?? 1).map(Math.exp);
  return (available, place) => (weights[place] ?? 0) / sumOf(weights, available);
}
