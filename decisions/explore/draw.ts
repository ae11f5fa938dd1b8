import { drawBeta } from './beta.ts';
import type { Item, Policy } from './items.ts';
import type { Random } from './random.ts';
import { logWeights } from './weights.ts';

/**
 * Draws a complete ranking: places of `items`, first to last. One coin decides between the policy's own ranking and a
 * uniform permutation; the commit then takes, for each slot, the first that has room.
 */
export function drawRanking({ items, exploration }: Policy, random: Random): number[] {
  const order = items.map((_, place) => place);
  if (exploration === undefined || items.length < 2) return order;
  if (random.uniform() < exploration.uniform) return shuffle(order, random);
  switch (exploration.kind) {
    case 'epsilon_greedy':
      return order;
    case 'softmax':
      return byKey(order, gumbelKeys(items, exploration.temperature ?? 1, random));
    case 'thompson':
      return byKey(order, sampledPriorities(items, random));
  }
}

/** Keys whose order is a softmax without replacement (Gumbel-max; Plackett-Luce). */
function gumbelKeys(items: readonly Item[], temperature: number, random: Random): number[] {
  return logWeights(items, temperature).map((weight) => weight - Math.log(-Math.log(random.uniform())));
}

/** Priorities with the acceptance probability drawn from its posterior, one independent of the other. */
export function sampledPriorities(items: readonly Item[], random: Random): number[] {
  return items.map(({ priority, posterior, scale = 1 }) =>
    posterior === undefined ? priority : drawBeta(posterior, random) * scale,
  );
}

/** Fisher and Yates. */
export function shuffle(places: number[], random: Random): number[] {
  for (let last = places.length - 1; last > 0; last--) {
    const other = Math.floor(random.uniform() * (last + 1));
    const held = places[last] ?? 0;
    places[last] = places[other] ?? 0;
    places[other] = held;
  }
  return places;
}

/** Largest key first, ties by place. */
export function byKey(places: number[], keys: readonly number[]): number[] {
  return places.sort((a, b) => (keys[b] ?? 0) - (keys[a] ?? 0) || a - b);
}
