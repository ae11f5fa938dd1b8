import { drawRanking } from './draw.ts';
import { nothing, type Policy } from './items.ts';
import { nextIn } from './propensity.ts';
import type { Random } from './random.ts';
import type { Room } from './room.ts';

export interface Marginal {
  readonly probability: number;
  /** Standard error; 0: exact. */
  readonly error: number;
}

/** Beyond these a marginal is estimated: the number of ways to fill the earlier slots grows with their power. */
const exactSlots = 3;
const exactItems = 64;
const rounds = 1_000;

/**
 * P(this one in slot number `slot`, from 0), whatever the earlier slots show: exact up to three slots where the own
 * ranking has no memory (greedy, softmax), else by Monte Carlo with its standard error.
 */
export function marginalOf(
  policy: Policy,
  place: number,
  slot: number,
  room: Room,
  random: () => Random,
): Marginal {
  const { exploration, items } = policy;
  const weight = exploration === undefined || items.length < 2 ? 0 : exploration.uniform;
  const isExact =
    exploration === undefined || exploration.kind === 'epsilon_greedy'
      ? slot < exactSlots || weight === 0
      : exploration.kind === 'softmax' && slot < exactSlots;
  if (!isExact || (weight > 0 && slot > 0 && items.length > exactItems))
    return estimate(policy, place, slot, room, random());
  const isLast = (other: number): boolean => items[other]?.action === nothing;
  const reach = (next: ReturnType<typeof nextIn>) => reached(next, place, slot, room, isLast, []);
  const own = weight < 1 ? reach(nextIn(policy)) : 0;
  const uniform = weight > 0 ? reach((available) => 1 / available.length) : 0;
  return { probability: (1 - weight) * own + weight * uniform, error: 0 };
}

/** Sums over all ways to fill the earlier slots. */
function reached(
  next: (available: readonly number[], place: number) => number,
  place: number,
  slot: number,
  room: Room,
  isLast: (place: number) => boolean,
  earlier: readonly number[],
): number {
  const available = room(earlier);
  if (!available.includes(place)) return 0;
  if (earlier.length === slot) return next(available, place);
  let sum = 0;
  for (const other of available) {
    if (other === place || isLast(other)) continue;
    const probability = next(available, other);
    if (probability > 0) sum += probability * reached(next, place, slot, room, isLast, [...earlier, other]);
  }
  return sum;
}

/** How often rankings drawn anew put it there. */
function estimate(policy: Policy, place: number, slot: number, room: Room, random: Random): Marginal {
  let hits = 0;
  for (let round = 0; round < rounds; round++) {
    const ranking = drawRanking(policy, random);
    const earlier: number[] = [];
    for (;;) {
      const available = new Set(room(earlier));
      const next = ranking.find((one) => available.has(one));
      if (next === undefined) break;
      if (earlier.length === slot) {
        if (next === place) hits += 1;
        break;
      }
      if (policy.items[next]?.action === nothing) break;
      earlier.push(next);
    }
  }
  // With one imagined hit and one imagined miss, so that the error of what was never, or always, seen is not 0.
  const smoothed = (hits + 1) / (rounds + 2);
  return { probability: hits / rounds, error: Math.sqrt((smoothed * (1 - smoothed)) / rounds) };
}
