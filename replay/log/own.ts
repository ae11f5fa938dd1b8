import type { DecisionRecord } from '../../schemas/index.ts';
import type { ContextValue, LoggedDecision } from './decision.ts';

/** What came of a decision of the engine's own. */
export interface Answers {
  /** Actions that a client said it had shown. */
  readonly shown: ReadonlySet<string>;
  /** Actions that the rewarded outcome came of. */
  readonly rewarded: ReadonlySet<string>;
}

/** The action of a decision to offer nothing. */
export const nothing = '(nothing)';

export type OwnDecision =
  | { readonly kind: 'decisions'; readonly decisions: readonly LoggedDecision[] }
  /** Never shown, so that nobody could answer; or not meant to be shown at all. */
  | { readonly kind: 'unlabelled'; readonly why: 'not shown' | 'not delivered' };

/** A record of one slot says of itself what another says of each slot. */
type Slot = Pick<DecisionRecord, 'action' | 'available' | 'choicePropensity' | 'mode'> & {
  readonly marginal?: number;
};

/**
 * A recorded decision as a logged choice: its propensity, what was available, the features it saw, and 1 as the reward
 * where the outcome came of it. An offer that was not shown has no label (MISSION.md), and offering nothing has 0.
 * Several slots are one slate; it has labels where all its offers were shown.
 */
export function ownDecision(record: DecisionRecord, { shown, rewarded }: Answers): OwnDecision {
  const slots: readonly Slot[] = record.slots ?? [record];
  if (!record.recorded || slots.some(({ mode }) => mode !== 'act'))
    return { kind: 'unlabelled', why: 'not delivered' };
  if (slots.some(({ action }) => action !== null && !shown.has(action)))
    return { kind: 'unlabelled', why: 'not shown' };
  const context: Record<string, ContextValue> = {};
  for (const [name, value] of [...Object.entries(record.features), ...Object.entries(record.context)])
    if (value === null || typeof value !== 'object') context[name] = value;
  const isSlate = slots.length > 1;
  return {
    kind: 'decisions',
    decisions: slots.map((slot, position) => ({
      action: slot.action ?? nothing,
      propensity: slot.choicePropensity,
      ...(slot.marginal === undefined ? {} : { marginal: slot.marginal }),
      position: String(position),
      ...(isSlate ? { slate: record.id } : {}),
      subject: record.subject,
      reward: slot.action !== null && rewarded.has(slot.action) ? 1 : 0,
      actions:
        slot.action === null || record.nothing !== undefined ? [...slot.available, nothing] : slot.available,
      context,
      deterministic: record.deterministic,
    })),
  };
}
