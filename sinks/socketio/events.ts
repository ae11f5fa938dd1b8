import { contentId, partitionOf, rawIdOf } from '../../core/index.ts';
import { type StoredEvent, systemTypes } from '../../schemas/index.ts';
import type { NewRecord } from '../../stream/log/port.ts';
import type { Identity } from './identity.ts';
import type { PushedOffer } from './inbox/index.ts';

/** What a visitor did with an offer. */
export type OfferOutcome = 'accepted' | 'dismissed' | 'expired' | 'ignored' | 'converted';
type Shown = Pick<PushedOffer, 'action' | 'placement'>;

/** The client showed the offer. Its id is content, so a repeated report is the same event. */
export function exposureEvent(who: Identity, decision: string, offer: Shown, time: number): StoredEvent {
  const { action, placement } = offer;
  return event(who, time, {
    id: contentId('exposure', who.tenant, decision),
    type: systemTypes.exposure,
    properties: { decision, action, placement },
  });
}

/** `id` tells several conversions by one decision apart. */
export function outcomeEvent(
  who: Identity,
  decision: string,
  offer: Shown,
  outcome: OfferOutcome,
  time: number,
  { id, value }: { readonly id?: string | undefined; readonly value?: number | undefined } = {},
): StoredEvent {
  const { action, placement } = offer;
  return event(who, time, {
    id: contentId('outcome', who.tenant, decision, outcome, ...(id === undefined ? [] : [id])),
    type: systemTypes.outcome,
    properties: { decision, action, placement, outcome, ...(value === undefined ? {} : { value }) },
  });
}

/** The subject's first socket came or its last one went; `socket` is that socket's random id. */
export function sessionEvent(
  who: Identity,
  socket: string,
  state: 'connected' | 'disconnected',
  time: number,
): StoredEvent {
  return event(who, time, {
    id: contentId('session', who.tenant, socket, state),
    type: systemTypes.session,
    properties: { state },
  });
}

/** The event as a record of the subject's own partition. */
export function recordOf(event: StoredEvent, partitions: number): NewRecord {
  const key = event.userId ?? event.anonymousId ?? '';
  return { partition: partitionOf(key, partitions), key, value: Buffer.from(JSON.stringify(event)) };
}

function event(
  who: Identity,
  time: number,
  what: Pick<StoredEvent, 'id' | 'type' | 'properties'>,
): StoredEvent {
  const raw = rawIdOf(who.subject);
  return {
    v: 1,
    tenant: who.tenant,
    ...what,
    ...(who.subject.startsWith('u:') ? { userId: raw } : { anonymousId: raw }),
    ...(who.session === null ? {} : { session: who.session }),
    time,
    source: 'engine',
  };
}
