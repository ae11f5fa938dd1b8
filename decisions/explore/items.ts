import type { DecisionRecord, Exploration, Posterior } from '../../schemas/index.ts';

/** Something that a ranking places: an action, or '' for nothing. */
export interface Item {
  readonly action: string;
  readonly priority: number;
  /** Of Thompson sampling, else absent: priority = probability x scale. */
  readonly posterior?: Posterior | undefined;
  readonly scale?: number | undefined;
}

/** A policy as a record names it: all that a draw is made from. Absent exploration: by priority alone. */
export interface Policy {
  /** Highest priority first. */
  readonly items: readonly Item[];
  readonly exploration: Exploration | undefined;
}

/** What the commit found and did for one slot, as places of the policy's items. */
export interface SlotChoice {
  /** null: nothing was left. */
  readonly chosen: number | null;
  readonly available: readonly number[];
}

/** The name of offering nothing among choices and items. */
export const nothing = '';

/** What a record was drawn from. */
export function policyOf(record: Pick<DecisionRecord, 'candidates' | 'nothing' | 'exploration'>): Policy {
  const placed: { readonly rank: number; readonly item: Item }[] = [];
  for (const { action, score, rank, posterior } of record.candidates) {
    if (rank === undefined || score === undefined) continue;
    const scale = score.contextWeight * score.value * score.lever;
    placed.push({ rank, item: { action, priority: score.priority, posterior, scale } });
  }
  if (record.nothing !== undefined) {
    const { rank, priority } = record.nothing;
    placed.push({ rank, item: { action: nothing, priority } });
  }
  placed.sort((a, b) => a.rank - b.rank);
  return { items: placed.map(({ item }) => item), exploration: record.exploration };
}

/**
 * The floor's f for so many candidates: every available one keeps at least it. A uniform permutation is mixed in with
 * weight |A| f, pi' = (1 - |A| f) pi + f.
 */
export const floorOf = (candidates: number): number => Math.min(0.01, 0.1 / candidates);

/** The weight of the uniform permutation, of epsilon and the floor together. */
export function uniformWeight(candidates: number, epsilon: number, hasFloor: boolean): number {
  const floor = hasFloor ? candidates * floorOf(candidates) : 0;
  return floor + (1 - floor) * epsilon;
}
