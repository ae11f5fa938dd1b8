import { createHash } from 'node:crypto';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type TenantId = Branded<'TenantId'>;
/** The person in one tenant: `u:<userId>` for a known user, `a:<anonymousId>` for an anonymous visitor. */
export type SubjectId = Branded<'SubjectId'>;
export type SessionId = Branded<'SessionId'>;
export type EventId = Branded<'EventId'>;
export type DecisionId = Branded<'DecisionId'>;

export const asTenantId = (value: string): TenantId => value as TenantId;
export const asSubjectId = (value: string): SubjectId => value as SubjectId;
export const asSessionId = (value: string): SessionId => value as SessionId;
export const asEventId = (value: string): EventId => value as EventId;
export const asDecisionId = (value: string): DecisionId => value as DecisionId;

/** Who an event is about. The prefix keeps an anonymous id from ever naming a known user of the same spelling. */
export function subjectOf(ids: {
  userId?: string | undefined;
  anonymousId?: string | undefined;
}): SubjectId | undefined {
  if (ids.userId !== undefined) return asSubjectId(`u:${ids.userId}`);
  if (ids.anonymousId !== undefined) return asSubjectId(`a:${ids.anonymousId}`);
  return undefined;
}

/**
 * The subject whose state an event updates, and whose raw id is the record's key. `identify` belongs to the anonymous
 * id where it has one: its partition is where the anonymous state lives.
 */
export function subjectOfEvent(event: {
  type: string;
  userId?: string | undefined;
  anonymousId?: string | undefined;
}): SubjectId | undefined {
  if (event.type === 'identify' && event.anonymousId !== undefined)
    return asSubjectId(`a:${event.anonymousId}`);
  return subjectOf(event);
}

/** Why there is no `alias`. */
export const aliasIsRefused =
  'alias would make two known users one, which is not done: send identify with both ids while the first is anonymous.';

/** The id as the producer spelled it: what the partitioner hashes. */
export const rawIdOf = (subject: SubjectId): string => subject.slice(2);

const halfPair = /\p{Surrogate}/u;

/**
 * Whether an id has half a surrogate pair. As UTF-8 all halves are the same character, so two such ids would be one
 * subject in the store: neither is taken.
 */
export const hasHalfPair = (id: string): boolean => halfPair.test(id);

/**
 * An id that is content, not place: 128 bits of SHA-256 over length-prefixed parts, as 32 hex digits.
 * Length prefixes keep ('ab','c') and ('a','bc') apart.
 */
export function contentId(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex').slice(0, 32);
}

/**
 * decision id = hash(tenant, subject, cause, what started it, placement): what it is about, not where it stands, so that
 * making it again gives the same. Cause and starter are an event's id and the trigger; a timer's due time and the
 * trigger; a request's id and `request`. With the subject, since clients choose ids of events (docs/decisions/0020).
 */
export function decisionIdOf(
  tenant: TenantId,
  subject: string,
  cause: string,
  startedBy: string,
  placement: string,
): DecisionId {
  return asDecisionId(contentId('decision', tenant, subject, cause, startedBy, placement));
}
