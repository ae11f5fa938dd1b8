import { shownOf } from '../../decisions/index.ts';
import type { DecisionRecord } from '../../schemas/index.ts';
import type { PendingOffer } from './inbox/index.ts';
import type { WireOffer } from './protocol.ts';

/** Why a decision is not pushed. */
export type NotPushed =
  | 'nothing'
  | 'answered'
  | 'observed'
  | 'stopped'
  | 'held_out'
  | 'in_review'
  | 'expired';

const reasons = {
  observe: 'observed',
  stopped: 'stopped',
  holdout: 'held_out',
  review: 'in_review',
} as const;

/**
 * The offer that a decision makes to a live session, or why it makes none. A decision that was asked for
 * (`/v1/decide`) was delivered with the answer; pushing it too would show it twice.
 */
export function offerOf(
  decision: DecisionRecord,
  now: number,
  isStopped: (tenant: string) => boolean,
): PendingOffer | NotPushed {
  if (decision.action === null || decision.offer === null) return 'nothing';
  const shown = shownOf(decision);
  const [first] = shown;
  if (first === undefined) return decision.mode === 'act' ? 'nothing' : reasons[decision.mode];
  if (isStopped(decision.tenant)) return 'stopped';
  // What a person let go was in no answer.
  const wasHeld = decision.review?.released !== undefined;
  if (decision.startedBy.kind === 'request' && !wasHeld) return 'answered';
  if (first.offer.expiresAt <= now) return 'expired';
  return {
    decision: decision.id,
    action: first.action,
    placement: decision.placement,
    content: first.offer.content,
    ...(decision.slots === undefined
      ? {}
      : { slots: shown.map(({ action, offer: { content } }) => ({ action, content })) }),
    because: decision.startedBy.kind === 'request' ? 'request' : decision.startedBy.trigger,
    simulated: decision.simulated,
    decidedAt: decision.timings.decidedAt,
    expiresAt: first.offer.expiresAt,
  };
}

/** The offer as the browser gets it. */
export function wireOf(offer: PendingOffer, now: number): WireOffer {
  const { decision, action, placement, content, slots, because, simulated, expiresAt } = offer;
  return {
    decision,
    action,
    placement,
    content,
    ...(slots === undefined ? {} : { slots }),
    because,
    simulated,
    expiresAt,
    expiresInMs: expiresAt - now,
  };
}
