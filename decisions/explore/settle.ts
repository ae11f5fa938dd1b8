import type { Choice, DecisionRecord, DecisionSlot, Resolution } from '../../schemas/index.ts';
import { policyOf, type SlotChoice } from './items.ts';
import { marginalOf } from './marginal.ts';
import { choicePropensities } from './propensity.ts';
import { randomFrom } from './random.ts';
import { roomOf } from './room.ts';

/** The probabilities of a decision's choices. */
export interface Settled {
  /** Of the first slot's. */
  readonly choicePropensity: number;
  readonly deterministic: boolean;
  readonly slate: number;
  /** Of each slot, where there are several. */
  readonly each: readonly Pick<DecisionSlot, 'choicePropensity' | 'marginal' | 'marginalError'>[];
}

const certain: Settled = { choicePropensity: 1, deterministic: true, slate: 1, each: [] };

/** From a draft and what the commit found of room. Salted apart from the draw, marginals are drawn anew. */
export function propensitiesOf(
  draft: DecisionRecord,
  choices: readonly Choice[],
  resolution: Resolution,
  slots: number,
): Settled {
  // Nothing was drawn: what was chosen was certain.
  if (draft.exploration === undefined) return certain;
  const policy = policyOf(draft);
  const places = new Map(policy.items.map(({ action }, place) => [action, place]));
  const placeOf = (index: number): number | null => places.get(choices[index]?.action ?? '?') ?? null;
  const made = resolution.slots.map(
    ({ chosen, available }): SlotChoice => ({
      chosen: placeOf(chosen),
      available: available.flatMap((index) => placeOf(index) ?? []),
    }),
  );
  const { slots: given, slate } = choicePropensities(policy, made);
  const deterministic = made.every(({ available }) => available.length < 2);
  const settled = { choicePropensity: given[0] ?? 1, deterministic, slate };
  if (slots === 1) return { ...settled, each: [] };
  const actions = policy.items.map(({ action }) => action);
  const room = roomOf(made[0]?.available ?? [], actions, choices, resolution.capsSeen);
  return {
    ...settled,
    each: made.map(({ chosen }, slot) => {
      const choicePropensity = given[slot] ?? 1;
      if (slot === 0) return { choicePropensity, marginal: choicePropensity, marginalError: 0 };
      // A slot that is left empty for want of candidates has no action whose chance could be told.
      if (chosen === null) return { choicePropensity, marginal: choicePropensity, marginalError: 0 };
      const random = () => randomFrom(`marginal ${slot}`, draft.id);
      const { probability, error } = marginalOf(policy, chosen, slot, room, random);
      return { choicePropensity, marginal: probability, marginalError: error };
    }),
  };
}
