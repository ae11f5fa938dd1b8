import type {
  Candidate,
  CapSeen,
  Choice,
  DecisionRecord,
  DecisionSlot,
  Resolution,
  Verdict,
} from '../schemas/index.ts';
import { nothing } from './explore/items.ts';
import { propensitiesOf } from './explore/settle.ts';

/**
 * The final record: the draft as ranked, with what the commit found of caps and took. Pure, so that every reader of
 * the outbox gets the same bytes from the same entry. `slots`: how many the placement has.
 */
export function finishDecision(
  draft: DecisionRecord,
  choices: readonly Choice[],
  resolution: Resolution,
  slots = 1,
): DecisionRecord {
  const [first] = resolution.slots;
  const chosen = resolution.slots.flatMap((slot) => choices[slot.chosen] ?? []).filter(isOffer);
  const available = namesOf(choices, first?.available ?? []);
  const { choicePropensity, deterministic, slate, each } = propensitiesOf(draft, choices, resolution, slots);
  const top = chosen[0];
  return {
    ...draft,
    candidates: settle(draft, chosen, new Set(available), resolution.capsSeen),
    available,
    capsSeen: resolution.capsSeen,
    action: top?.action ?? null,
    choicePropensity,
    deterministic,
    ...(slots === 1 ? {} : { slots: slotsOf(choices, resolution, each), slatePropensity: slate }),
    mode: top?.mode ?? draft.mode,
    purpose: top?.purpose ?? null,
    offer: top?.offer ?? null,
    ...(top?.review === undefined ? {} : { review: top.review }),
  };
}

const isOffer = ({ action }: Choice): boolean => action !== nothing;

const namesOf = (choices: readonly Choice[], indexes: readonly number[]): string[] => {
  const names: string[] = [];
  for (const index of indexes) {
    const choice = choices[index];
    if (choice !== undefined && isOffer(choice)) names.push(choice.action);
  }
  return names;
};

function slotsOf(
  choices: readonly Choice[],
  resolution: Resolution,
  each: readonly Pick<DecisionSlot, 'choicePropensity' | 'marginal' | 'marginalError'>[],
): DecisionSlot[] {
  return resolution.slots.map((slot, index) => {
    const choice = choices[slot.chosen];
    const { choicePropensity = 1, marginal = 1, marginalError = 0 } = each[index] ?? {};
    return {
      action: choice === undefined || !isOffer(choice) ? null : choice.action,
      available: namesOf(choices, slot.available),
      choicePropensity,
      marginal,
      marginalError,
      mode: choice?.mode ?? 'act',
      offer: choice?.offer ?? null,
    };
  });
}

/** The verdicts of those that were ranked: chosen, held at the gate, without room, not drawn, outranked. */
function settle(
  { candidates, exploration, nothing: none }: DecisionRecord,
  chosen: readonly Choice[],
  hasRoom: ReadonlySet<string>,
  capsSeen: readonly CapSeen[],
): readonly Candidate[] {
  // The lowest priority that was chosen: whoever had more, and room, was not drawn.
  let lowest = none !== undefined && chosen.length === 0 ? none.rank : 0;
  for (const { action, rank = 0 } of candidates)
    if (chosen.some((one) => one.action === action)) lowest = Math.max(lowest, rank);
  return candidates.map((candidate) => {
    if (candidate.rank === undefined) return candidate;
    const choice = chosen.find((one) => one.action === candidate.action);
    if (choice !== undefined) return { ...candidate, verdict: choice.gate ?? isChosen };
    const hadRoom = hasRoom.has(candidate.action);
    const full = capsSeen.find(
      ({ action, used, limit, slot }) =>
        action === candidate.action && used >= limit && (slot !== undefined || !hadRoom),
    );
    if (!hadRoom || full !== undefined) return { ...candidate, verdict: noRoom(full) };
    if (exploration !== undefined && candidate.rank < lowest) return { ...candidate, verdict: notDrawn };
    return candidate;
  });
}

const isChosen: Verdict = { stage: 'chosen', rule: 'chosen', saw: {} };
const notDrawn: Verdict = { stage: 'exploration', rule: 'not drawn', saw: {} };

const noRoom = (full: CapSeen | undefined): Verdict => ({
  stage: 'constraints',
  rule: full?.cap ?? 'no room',
  saw: full === undefined ? {} : sawOf(full),
});

const sawOf = ({ used, limit, budget }: CapSeen): Verdict['saw'] =>
  budget === undefined ? { used, limit } : { used, limit, budget };
