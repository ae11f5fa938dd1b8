import { asSubjectId, contentId, partitionOf, rawIdOf } from '../../core/index.ts';
import { type ReviewProperties, type StoredEvent, systemTypes } from '../../schemas/index.ts';
import type { NewRecord } from '../../stream/log/port.ts';
import type { Claim, StoredReview } from './port.ts';

/**
 * The verdict as an event of the subject's own partition. Its id is content: however often it is appended, it is one
 * verdict. What was let go has with it all that is needed to execute it, so that the log alone says what happened.
 */
export function reviewEvent(item: StoredReview, claim: Claim): StoredEvent {
  const { summary, record, isEscalated } = item;
  const raw = rawIdOf(asSubjectId(summary.subject));
  const { verdict, by, reviewer, note, at } = claim;
  const properties: ReviewProperties = {
    decision: summary.id,
    action: summary.action,
    placement: summary.placement,
    verdict,
    reason: summary.reason,
    probability: record?.review?.probability ?? 1,
    confidence: summary.confidence,
    threshold: summary.threshold,
    by,
    ...(reviewer === null ? {} : { reviewer }),
    ...(note === null ? {} : { note }),
    escalated: isEscalated,
    waitedMs: Math.max(0, at - summary.decidedAt),
    ...releaseOf(item, claim),
  };
  return {
    v: 1,
    id: contentId('review', summary.tenant, summary.id),
    tenant: summary.tenant,
    type: systemTypes.review,
    ...(summary.subject.startsWith('u:') ? { userId: raw } : { anonymousId: raw }),
    ...(record?.session == null ? {} : { session: record.session }),
    time: at,
    properties,
    source: 'engine',
  };
}

/** What passed its gate was executed already; of the rest only what a person let go is. */
function releaseOf(
  { summary, record }: StoredReview,
  { verdict, content, at }: Claim,
): Pick<ReviewProperties, 'release'> {
  if (summary.reason !== 'gate' || (verdict !== 'approved' && verdict !== 'edited')) return {};
  if (record?.offer == null) return {};
  // It is shown as long as any other offer of its placement: from now on, since nobody could see it before.
  const showsForMs = record.offer.expiresAt - record.time;
  return {
    release: { record, content: content ?? record.offer.content, expiresAt: at + showsForMs },
  };
}

/** The event as a record of the subject's own partition. */
export function recordOf(event: StoredEvent, partitions: number): NewRecord {
  const key = event.userId ?? event.anonymousId ?? '';
  return { partition: partitionOf(key, partitions), key, value: Buffer.from(JSON.stringify(event)) };
}
