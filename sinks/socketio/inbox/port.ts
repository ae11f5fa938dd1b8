/** Whose inbox. All keys of it live with the subject's partition. */
export interface InboxAddress {
  readonly partition: number;
  readonly tenant: string;
  readonly subject: string;
}

/** An offer that waits to be shown. */
export interface PendingOffer {
  readonly decision: string;
  readonly action: string;
  readonly placement: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** Where the placement has several slots: what to show, in order. */
  readonly slots?: readonly {
    readonly action: string;
    readonly content: Readonly<Record<string, unknown>>;
  }[];
  readonly because: string;
  readonly simulated: boolean;
  /** When it was decided, Unix ms: the order in which offers are delivered and, in a full inbox, dropped. */
  readonly decidedAt: number;
  /** Unix ms; from then on it is neither delivered nor claimable. */
  readonly expiresAt: number;
}

/** What is remembered of an offer after it left the inbox, so that late reports can be checked. */
export interface PushedOffer {
  readonly action: string;
  readonly placement: string;
  readonly decidedAt: number;
  readonly expiresAt: number;
  /** The tab that may show it. */
  readonly claimedBy?: string;
}

export interface PutResult {
  /** False when the offer had been put before and has left the inbox since: shown, settled, dropped or expired. */
  readonly isPending: boolean;
  /** Unexpired offers that a full inbox dropped for this one, oldest first. */
  readonly dropped: number;
}

export type ClaimResult = 'granted' | 'held' | 'unknown' | 'expired';

/**
 * Offers by subject between decision and exposure. Adapters: Redis, memory; both pass inbox.contract.ts. Bounded: at
 * most `inboxLimits.pending` waiting offers a subject, `inboxLimits.pushed` remembered ones; both go with time.
 * Errors are PresageError `inbox_unavailable`, retriable; every call may be repeated.
 */
export interface Inbox {
  /** Adds an offer once, however often it is called with the same decision. */
  put(address: InboxAddress, offer: PendingOffer, now: number): Promise<PutResult>;
  /** Unexpired waiting offers, oldest first. */
  pending(address: InboxAddress, now: number): Promise<PendingOffer[]>;
  /** What was pushed under this decision id to this subject; kept for a day after its expiry. */
  find(address: InboxAddress, decision: string, now: number): Promise<PushedOffer | null>;
  /** Gives the offer to the first claimant, atomically; the same claimant may ask again. */
  claim(address: InboxAddress, decision: string, claimant: string, now: number): Promise<ClaimResult>;
  /** Takes the offer out of the inbox; it stays known to `find`. */
  settle(address: InboxAddress, decision: string): Promise<void>;
}

export const inboxLimits = {
  /** Waiting offers a subject. */
  pending: 20,
  /** Remembered offers a subject, waiting ones included. */
  pushed: 100,
  /** How long an offer is remembered after its expiry. */
  keepMs: 24 * 3_600_000,
} as const;
