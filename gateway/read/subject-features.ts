import {
  asSubjectId,
  type Clock,
  PresageError,
  partitionOf,
  rawIdOf,
  type SubjectId,
} from '../../core/index.ts';
import type { SubjectFeatures } from '../../schemas/index.ts';
import type { FeatureSet } from '../../stream/features/port.ts';
import type { EventLog } from '../../stream/log/port.ts';
import type { StateStore } from '../../stream/state/port.ts';

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

/** When to read features at: now, a time in Unix ms, or the subject's own newest event. */
export type ReadAt = 'now' | 'newest' | number;

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
  const partition = partitionOf(rawIdOf(subject), parts.log.partitions);
  const [blob] = await parts.store.load(partition, [`${tenant}:${subject}`]);
  if (!blob) {
    throw new PresageError(
      'unknown_subject',
      `Nothing is known of "${subject}": no event of it has been processed, or its state has expired.`,
    );
  }
  const state = parts.features.decode(blob);
  if (state.moved !== null) {
    const theirs = await readSubjectFeatures(parts, tenant, asSubjectId(`u:${state.moved.to}`), at);
    return { ...theirs, askedFor: subject };
  }
  const asked = at === 'now' ? parts.clock.now() : at === 'newest' ? state.newest : at;
  const time = Math.max(asked, state.newest);
  return { subject, at: time, position: state.position, features: parts.features.read(state, time) };
}
