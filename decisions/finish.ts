import type { Candidate, CapSeen, Choice, DecisionRecord, Resolution, Verdict } from '../schemas/index.ts';

/**
 * The final record: the draft as ranked, with what the commit found of caps and took. Pure, so that every reader of
 * the outbox gets the same bytes from the same entry.
 */
export function finishDecision(
  draft: DecisionRecord,
  choices: readonly Choice[],
  resolution: Resolution,
): DecisionRecord {
  const slot = resolution.slots[0];
  const chosen = choices[slot?.chosen ?? -1];
  const available = (slot?.available ?? []).flatMap((index) => choices[index]?.action ?? []);
  const hasRoom = new Set(available);
  return {
    ...draft,
    candidates: draft.candidates.map((candidate) => settle(candidate, chosen, hasRoom, resolution.capsSeen)),
    available,
    capsSeen: resolution.capsSeen,
    action: chosen?.action ?? null,
    mode: chosen?.mode ?? draft.mode,
    purpose: chosen?.purpose ?? null,
    offer: chosen?.offer ?? null,
  };
}

function settle(
  candidate: Candidate,
  chosen: Choice | undefined,
  hasRoom: ReadonlySet<string>,
  capsSeen: readonly CapSeen[],
): Candidate {
  if (candidate.rank === undefined) return candidate;
  if (candidate.action === chosen?.action)
    return { ...candidate, verdict: chosen.gate ?? { stage: 'chosen', rule: 'chosen', saw: {} } };
  if (hasRoom.has(candidate.action)) return candidate;
  const full = capsSeen.find((cap) => cap.action === candidate.action && cap.used >= cap.limit);
  return {
    ...candidate,
    verdict: {
      stage: 'constraints',
      rule: full?.cap ?? 'no room',
      saw: full ? sawOf(full) : {},
    },
  };
}

const sawOf = ({ used, limit, budget }: CapSeen): Verdict['saw'] =>
  budget === undefined ? { used, limit } : { used, limit, budget };
