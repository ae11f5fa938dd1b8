import { asSubjectId, type Clock, PresageError, type SubjectId } from '../../core/index.ts';
import type { SubjectFeatures } from '../../schemas/index.ts';
import type { FeatureSet } from '../../stream/features/port.ts';
import type { EventLog } from '../../stream/log/port.ts';
import type { StateStore } from '../../stream/state/port.ts';
import { makeSubjectReader, type ReadAt } from '../../stream/subject-reader.ts';

export interface SubjectFeatureParts {
  readonly log: Pick<EventLog, 'partitions'>;
  readonly store: Pick<StateStore, 'load'>;
  readonly features: FeatureSet;
  readonly clock: Clock;
}

/** `u:42`, `a:7f3c`, or a plain id, which is a known user's. */
export function readSubjectId(text: string): SubjectId {
  return asSubjectId(/^[ua]:./s.test(text) ? text : `u:${text}`);
}

/**
 * A subject's features as the committed state has them, at event time `at` (never before the subject's newest event:
 * older values are no longer kept); of an anonymous one that has become a user, the user's. Throws `unknown_subject`.
 */
export async function readSubjectFeatures(
  parts: SubjectFeatureParts,
  tenant: string,
  subject: SubjectId,
  at: ReadAt,
): Promise<SubjectFeatures> {
  const reader = makeSubjectReader({ ...parts, partitions: parts.log.partitions });
  const [found] = await reader.read(tenant, [subject], at);
  if (!found) {
    throw new PresageError(
      'unknown_subject',
      `Nothing is known of "${subject}": no event of it has been processed, or its state has expired.`,
    );
  }
  return found;
}
