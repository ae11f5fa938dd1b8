import type { DecisionRecord, Offer } from '../schemas/index.ts';

/** What a decision shows, slot by slot: only actions in mode `act`; none where all were observed, stopped or held back. */
export function shownOf({
  action,
  mode,
  offer,
  slots,
}: Pick<DecisionRecord, 'action' | 'mode' | 'offer' | 'slots'>): {
  readonly action: string;
  readonly offer: Offer;
}[] {
  return (slots ?? [{ action, mode, offer }]).flatMap((slot) =>
    slot.mode === 'act' && slot.action !== null && slot.offer !== null
      ? [{ action: slot.action, offer: slot.offer }]
      : [],
  );
}
