import type { Expected } from './modelled.ts';
import type { Sample } from './sample.ts';

/** Where rewards and weights of a row can be. */
export interface Bounds {
  readonly leastReward: number;
  readonly mostReward: number;
  readonly mostWeight: number;
  /** Reward and model of a row have the same weight. */
  readonly isOneWeight: boolean;
}

/**
 * Rewards of 0 and 1 have these bounds; others, and the largest weight, are taken from the log: an interval made from
 * them holds as far as nothing larger can happen.
 */
export function boundsOf({ reward, weight, drawn }: Pick<Sample, 'reward' | 'weight' | 'drawn'>): Bounds {
  let leastReward = 0;
  let mostReward = 1;
  let mostWeight = 0;
  if (reward.some((one) => one !== 0 && one !== 1)) {
    leastReward = reward.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY);
    mostReward = reward.reduce((most, one) => Math.max(most, one), Number.NEGATIVE_INFINITY);
  }
  for (const one of weight) if (one > mostWeight) mostWeight = one;
  if (drawn !== weight) for (const one of drawn) if (one > mostWeight) mostWeight = one;
  return { leastReward, mostReward, mostWeight, isOneWeight: drawn === weight };
}

/** How far apart two rows' terms of each kind of estimate can be. */
export const widths = {
  ips: ({ leastReward, mostReward, mostWeight }: Bounds): number =>
    mostWeight * (Math.max(0, mostReward) - Math.min(0, leastReward)),
  /** Of w (r - v), for any value v between the rewards. */
  snips: ({ leastReward, mostReward, mostWeight }: Bounds): number => mostWeight * (mostReward - leastReward),
  reward: ({ leastReward, mostReward }: Bounds): number => mostReward - leastReward,
  dm: (bounds: Bounds, { policy }: Expected, before: number): number => {
    const [least, most] = endsOf(policy);
    return before * Math.max(widths.reward(bounds), most - least);
  },
  dr: (bounds: Bounds, expected: Expected, before: number): number => {
    const { leastReward, mostReward, mostWeight } = bounds;
    const [least, most] = endsOf(expected.logged);
    const corrections = bounds.isOneWeight
      ? Math.max(0, mostReward - least) - Math.min(0, leastReward - most)
      : Math.max(0, mostReward) - Math.min(0, leastReward) + Math.max(0, most) - Math.min(0, least);
    return widths.dm(bounds, expected, before) + mostWeight * corrections;
  },
};

export const largestOf = (values: Float64Array): number => endsOf(values)[1];

function endsOf(values: Float64Array): readonly [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const one of values) {
    if (one < least) least = one;
    if (one > most) most = one;
  }
  return [least, most];
}
