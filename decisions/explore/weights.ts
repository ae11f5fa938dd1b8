import type { Item } from './items.ts';

/**
 * Weights of a softmax on log priority, in logs and relative to the largest. No weight is below e^-700 of it, so that
 * none is zero, whatever the priorities, and draws and probabilities mean the same by them.
 */
export function logWeights(items: readonly Item[], temperature: number): number[] {
  const logs = items.map(({ priority }) => Math.log(priority) / temperature);
  const largest = Math.max(...logs);
  if (largest === -Infinity) return logs.map(() => 0);
  return logs.map((log) => Math.max(log - largest, -700));
}

/** Sum of the weights at these places. */
export function sumOf(weights: readonly number[], places: readonly number[]): number {
  let sum = 0;
  for (const place of places) sum += weights[place] ?? 0;
  return sum;
}
