import { asSubjectId, type Clock, partitionOf, rawIdOf, type SubjectId } from '../core/index.ts';
import type { SubjectFeatures } from '../schemas/index.ts';
import type { FeatureSet, SubjectState } from './features/port.ts';
import type { StateStore } from './state/port.ts';

export interface SubjectReaderParts {
  readonly store: Pick<StateStore, 'load'>;
  readonly features: FeatureSet;
  readonly partitions: number;
  readonly clock: Clock;
}

/** When to read features at: now, a time in Unix ms, or each subject's own newest event. */
export type ReadAt = 'now' | 'newest' | number;

export interface SubjectReader {
  /**
   * Features as the committed state has them, in the order of the subjects; null where nothing is known of one. Read at
   * event time `at`, but never before the subject's newest event: older values are no longer kept. Of an anonymous
   * subject that has become a user they are the user's.
   */
  read(tenant: string, subjects: readonly SubjectId[], at: ReadAt): Promise<(SubjectFeatures | null)[]>;
}

/** Reads subjects straight from the store, without a cache: one command for each partition that they are in. */
export function makeSubjectReader({ store, features, partitions, clock }: SubjectReaderParts): SubjectReader {
  async function load(tenant: string, subjects: readonly SubjectId[]): Promise<(SubjectState | null)[]> {
    const places = new Map<number, number[]>();
    for (const [index, subject] of subjects.entries()) {
      const partition = partitionOf(rawIdOf(subject), partitions);
      const there = places.get(partition);
      if (there === undefined) places.set(partition, [index]);
      else there.push(index);
    }
    const states: (SubjectState | null)[] = new Array(subjects.length).fill(null);
    await Promise.all(
      [...places].map(async ([partition, indexes]) => {
        const keys = indexes.map((index) => `${tenant}:${subjects[index]}`);
        const blobs = await store.load(partition, keys);
        for (const [at, index] of indexes.entries()) {
          const blob = blobs[at];
          if (blob) states[index] = features.decode(blob);
        }
      }),
    );
    return states;
  }

  return {
    async read(tenant, subjects, at) {
      const own = await load(tenant, subjects);
      const movedAt = [...own.keys()].filter((index) => own[index]?.moved);
      const users = movedAt.map((index) => asSubjectId(`u:${own[index]?.moved?.to}`));
      const theirs = users.length === 0 ? [] : await load(tenant, users);
      const places = new Map(movedAt.map((index, place) => [index, place]));
      return own.map((state, index) => {
        const asked = subjects[index] as SubjectId;
        const place = places.get(index);
        if (place === undefined) return valuesOf(asked, state, at);
        const read = valuesOf(users[place] as SubjectId, theirs[place] ?? null, at);
        return read && { ...read, askedFor: asked };
      });
    },
  };

  function valuesOf(subject: SubjectId, state: SubjectState | null, at: ReadAt): SubjectFeatures | null {
    if (state === null) return null;
    const asked = at === 'now' ? clock.now() : at === 'newest' ? state.newest : at;
    const time = Math.max(asked, state.newest);
    return { subject, at: time, position: state.position, features: features.read(state, time) };
  }
}
