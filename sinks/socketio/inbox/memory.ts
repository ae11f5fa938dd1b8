import type { Inbox, InboxAddress, PendingOffer, PushedOffer } from './port.ts';
import { inboxLimits } from './port.ts';

interface Box {
  readonly pending: Map<string, PendingOffer>;
  readonly pushed: Map<string, PushedOffer>;
}

/** An inbox that lasts as long as the process: for tests, where the memory it takes is no concern. */
export function memoryInbox(): Inbox {
  const boxes = new Map<string, Box>();

  const boxOf = ({ partition, tenant, subject }: InboxAddress, now: number): Box => {
    const key = `${partition}:${tenant}:${subject}`;
    let box = boxes.get(key);
    if (box === undefined) {
      box = { pending: new Map(), pushed: new Map() };
      boxes.set(key, box);
    }
    expire(box, now);
    return box;
  };

  return {
    async put(address, offer, now) {
      const { pending, pushed } = boxOf(address, now);
      if (pushed.has(offer.decision)) return { isPending: pending.has(offer.decision), dropped: 0 };
      if (offer.expiresAt <= now) return { isPending: false, dropped: 0 };
      const { action, placement, decidedAt, expiresAt } = offer;
      pushed.set(offer.decision, { action, placement, decidedAt, expiresAt });
      pending.set(offer.decision, offer);
      shrink(pushed, inboxLimits.pushed);
      const dropped = shrink(pending, inboxLimits.pending);
      return { isPending: pending.has(offer.decision), dropped };
    },
    async pending(address, now) {
      return [...boxOf(address, now).pending.entries()].sort(byAge).map(([, offer]) => offer);
    },
    async find(address, decision, now) {
      return boxOf(address, now).pushed.get(decision) ?? null;
    },
    async claim(address, decision, claimant, now) {
      const { pushed } = boxOf(address, now);
      const offer = pushed.get(decision);
      if (offer === undefined) return 'unknown';
      if (offer.expiresAt <= now) return 'expired';
      if (offer.claimedBy !== undefined) return offer.claimedBy === claimant ? 'granted' : 'held';
      pushed.set(decision, { ...offer, claimedBy: claimant });
      return 'granted';
    },
    async settle({ partition, tenant, subject }, decision) {
      boxes.get(`${partition}:${tenant}:${subject}`)?.pending.delete(decision);
    },
  };
}

function expire({ pending, pushed }: Box, now: number): void {
  for (const [decision, offer] of pending) if (offer.expiresAt <= now) pending.delete(decision);
  for (const [decision, offer] of pushed)
    if (offer.expiresAt + inboxLimits.keepMs <= now) pushed.delete(decision);
}

/** Drops the oldest until `max` are left; returns how many. */
function shrink(offers: Map<string, { readonly decidedAt: number }>, max: number): number {
  const surplus = offers.size - max;
  if (surplus <= 0) return 0;
  for (const [decision] of [...offers.entries()].sort(byAge).slice(0, surplus)) offers.delete(decision);
  return surplus;
}

type Aged = readonly [decision: string, offer: { readonly decidedAt: number }];

/** Oldest decision first; ids decide between equal times, so that every adapter gives the same order. */
export function byAge([leftId, left]: Aged, [rightId, right]: Aged): number {
  return left.decidedAt - right.decidedAt || (leftId < rightId ? -1 : 1);
}
