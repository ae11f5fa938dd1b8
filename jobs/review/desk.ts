import { type Clock, PresageError } from '../../core/index.ts';
import type { ReviewBody, ReviewDecided, ReviewDetail, ReviewList } from '../../schemas/index.ts';
import { type Claim, type ReviewStore, reviewLimits, type StoredReview } from './port.ts';
import { decidedOf } from './store.ts';

/** As the gateway's port of this name. */
export interface ReviewDesk {
  list(tenant: string | null, limit: number): Promise<ReviewList>;
  one(tenant: string | null, id: string): Promise<ReviewDetail>;
  say(tenant: string | null, id: string, body: ReviewBody, by: string): Promise<ReviewDecided>;
}

export interface DeskParts {
  readonly store: ReviewStore;
  /** Appends the verdict of this item to the log. */
  readonly publish: (id: string) => Promise<void>;
  readonly clock: Pick<Clock, 'now'>;
  /** A verdict was given, and whether the log has it already. */
  readonly onVerdict: (item: StoredReview, claim: Claim, isPublished: boolean) => void;
}

export function makeDesk(parts: DeskParts): ReviewDesk {
  const { store, clock } = parts;

  async function find(tenant: string | null, id: string): Promise<StoredReview> {
    const item = await store.find(id);
    if (item === null || (tenant !== null && item.summary.tenant !== tenant)) throw unknown(id);
    return item;
  }

  return {
    async list(tenant, limit) {
      const [waiting, count, decided] = await Promise.all([
        store.waiting(tenant, limit),
        store.count(tenant),
        store.decided(tenant, limit),
      ]);
      const now = clock.now();
      return {
        waiting: waiting
          .filter(({ summary }) => summary.expiresAt > now)
          .map(({ summary, isEscalated }) => ({ ...summary, isEscalated })),
        count,
        decided,
      };
    },
    async one(tenant, id) {
      const { summary, isEscalated, claim, isPublished, record } = await find(tenant, id);
      const decided = claim === null ? null : decidedOf(claim, isPublished);
      return { summary, isEscalated, decided, decision: record };
    },
    async say(tenant, id, body, by) {
      const item = await find(tenant, id);
      const claim = claimOf(body, by, clock.now());
      const result = await store.claim(id, claim);
      switch (result.kind) {
        case 'unknown':
          throw unknown(id);
        case 'taken':
          throw alreadyReviewed(id, result.claim);
        case 'expired':
        case 'early':
          throw new PresageError(
            'review_expired',
            `Decision ${id} was to be reviewed by ${new Date(item.summary.expiresAt).toISOString()}; it can't be any more, and is not executed.`,
            { details: { expiredAt: item.summary.expiresAt } },
          );
        case 'won':
          break;
      }
      // The verdict stands from here on. Where the log is away, it is appended as soon as it is back.
      const isPublished = await parts.publish(id).then(
        () => true,
        () => false,
      );
      parts.onVerdict(item, claim, isPublished);
      return decidedOf(claim, isPublished);
    },
  };
}

function claimOf({ verdict, content, reviewer, note }: ReviewBody, by: string, at: number): Claim {
  if (verdict === 'edit' && content === undefined)
    throw new PresageError('missing_content', 'An edit needs content: what is shown in place of the draft.');
  if (verdict !== 'edit' && content !== undefined)
    throw new PresageError('needless_content', `Content is of an edit; ${verdict} takes none.`);
  if (content !== undefined && Buffer.byteLength(JSON.stringify(content)) > reviewLimits.contentBytes)
    throw new PresageError(
      'content_too_large',
      `The content is larger than ${reviewLimits.contentBytes} bytes.`,
    );
  return {
    verdict: verdict === 'approve' ? 'approved' : verdict === 'edit' ? 'edited' : 'rejected',
    by,
    reviewer: reviewer ?? null,
    note: note ?? null,
    at,
    content: content ?? null,
  };
}

const unknown = (id: string): PresageError =>
  new PresageError(
    'unknown_review',
    `No decision "${id.slice(0, 64)}" is to be reviewed, or it was more than a day ago.`,
  );

function alreadyReviewed(id: string, { verdict, by, reviewer, at }: Claim): PresageError {
  const who = reviewer ?? by;
  const when = new Date(at).toISOString();
  return new PresageError(
    'already_reviewed',
    verdict === 'expired'
      ? `Decision ${id} expired unreviewed at ${when}.`
      : `Decision ${id} was ${verdict} by ${who} at ${when}; the first verdict stands.`,
    { details: { verdict, by, reviewer, at } },
  );
}
