import { asSubjectId, partitionOf, rawIdOf, type SubjectId } from '../../core/index.ts';
import type { MovedFrom, StoredEvent } from '../../schemas/index.ts';
import type { FeatureSet } from '../features/index.ts';
import type { StateStore, StoredOutboxEntry } from '../state/port.ts';

/** An anonymous subject and the user that an `identify` made it. */
export interface Link {
  readonly tenant: string;
  readonly subject: SubjectId;
  readonly user: SubjectId;
  readonly isVouched: boolean;
}

/** Browsers send with a public key, which anyone has: what they say of known users is not vouched for. */
export const isVouched = (event: { readonly source: string }): boolean => event.source !== 'browser';

/** The link that an outbox entry makes or confirms; null: it is about something else. */
export function linkIn(entry: StoredOutboxEntry): Link | null {
  if (entry.kind !== 'transfer' && entry.kind !== 'forward') return null;
  // Nearly all that is forwarded is no identify, and need not be parsed.
  if (entry.kind === 'forward' && !entry.payload.includes('identify')) return null;
  const { tenant, userId, properties } = JSON.parse(entry.payload) as StoredEvent & {
    properties: { from: MovedFrom; event: StoredEvent };
  };
  const { from, event } = properties;
  // One that is not vouched for takes nothing from a link to the same user that is.
  if (entry.kind === 'forward' && !(event.type === 'identify' && isVouched(event))) return null;
  return {
    tenant,
    subject: asSubjectId(`a:${from.anonymousId}`),
    user: asSubjectId(`u:${userId}`),
    isVouched: isVouched(event),
  };
}

/** The user that the state of an anonymous subject has gone to, if that is vouched for; else null. */
export async function linkedUser(
  parts: {
    readonly store: Pick<StateStore, 'load'>;
    readonly features: FeatureSet;
    readonly partitions: number;
  },
  { tenant, subject }: { readonly tenant: string; readonly subject: SubjectId },
): Promise<SubjectId | null> {
  const [blob] = await parts.store.load(partitionOf(rawIdOf(subject), parts.partitions), [
    `${tenant}:${subject}`,
  ]);
  const moved = blob ? parts.features.decode(blob).moved : null;
  return moved?.isVouched ? asSubjectId(`u:${moved.to}`) : null;
}
