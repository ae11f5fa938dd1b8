import type { DecisionRecord, ReviewDecided, ReviewSummary, ReviewVerdict } from '../../schemas/index.ts';

/** A decision that a person is to look at. */
export interface ReviewItem {
  readonly summary: ReviewSummary;
  readonly record: DecisionRecord;
}

export type PutResult =
  /** It waits now; `waiting`: it did already. */
  | 'queued'
  | 'waiting'
  /** It has its verdict already. */
  | 'decided'
  /** Too late for anyone to say anything. */
  | 'expired'
  /** The tenant, or all together, have as many waiting as may be. It is not executed. */
  | 'full';

/** What was said of an item, as it is kept until the log has it. */
export interface Claim {
  readonly verdict: ReviewVerdict;
  readonly by: string;
  readonly reviewer: string | null;
  readonly note: string | null;
  readonly at: number;
  /** What is shown in place of the draft, for `edited`. */
  readonly content: Readonly<Record<string, unknown>> | null;
}

export type ClaimResult =
  | { readonly kind: 'won' }
  /** Somebody was first. */
  | { readonly kind: 'taken'; readonly claim: Claim }
  /** Its time is over; or, for the verdict `expired`, not over yet. */
  | { readonly kind: 'expired' | 'early' }
  | { readonly kind: 'unknown' };

export interface StoredReview {
  readonly summary: ReviewSummary;
  readonly isEscalated: boolean;
  /** null: its verdict is in the log, and the decision is in ClickHouse. */
  readonly record: DecisionRecord | null;
  readonly claim: Claim | null;
  readonly isPublished: boolean;
}

/**
 * Decisions that wait for a person. Each gets one verdict, whoever says it first; times are given, so that it depends on
 * no clock. A verdict is kept until it is published (`unpublished` lists those that are not), and for a day after the
 * item's expiry, so that what was decided is not decided again. Errors are PresageError `reviews_unavailable`, retriable;
 * every call may be repeated.
 */
export interface ReviewStore {
  put(item: ReviewItem, now: number): Promise<PutResult>;
  find(id: string): Promise<StoredReview | null>;
  /** Gives the verdict, if there is none and its time is not over. */
  claim(id: string, claim: Claim): Promise<ClaimResult>;
  /** Marks it as waiting for too long. False: it no longer waits, is marked already, or it is not time yet. */
  escalate(id: string, now: number): Promise<boolean>;
  /** Ids whose verdict is not in the log yet, oldest first, at most `limit`. */
  unpublished(limit: number): Promise<string[]>;
  /** Its verdict is in the log. */
  published(id: string): Promise<void>;
  /** Those that wait, the next to expire first; of all tenants where null. */
  waiting(tenant: string | null, limit: number): Promise<StoredReview[]>;
  count(tenant: string | null): Promise<number>;
  /** The newest verdicts, newest first. */
  decided(tenant: string | null, limit: number): Promise<(ReviewSummary & { decided: ReviewDecided })[]>;
}

export const reviewLimits = {
  /** Waiting decisions, in all and of one tenant: one tenant's flood leaves room for the others. */
  waiting: 5_000,
  waitingPerTenant: 2_000,
  /** Bytes of a decision as it waits; of a larger one the explanation is shortened. */
  recordBytes: 64 * 1_024,
  /** How long a verdict is remembered after the item's expiry. */
  keepMs: 24 * 3_600_000,
  /** Newest verdicts listed, of each tenant and of all. */
  decided: 100,
  /** Bytes of a content that a person writes. */
  contentBytes: 16_384,
} as const;
