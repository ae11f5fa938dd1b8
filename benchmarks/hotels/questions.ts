import type { FeatureVector } from '../../schemas/index.ts';
import { makeFeatureSet, type SubjectState } from '../../stream/features/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { Listed, LoggedEvent } from './log.ts';

/** A click-out on a listed hotel, with what the engine knew of the person just before it. */
export interface ListQuestion {
  /** Row of the log by time. */
  readonly row: number;
  readonly session: string;
  readonly time: number;
  readonly chosen: string;
  readonly list: readonly Listed[];
  /** Read before the click-out was taken in. */
  readonly features: FeatureVector;
}

/** Every click-out on a listed hotel, in the order of the log. Events go through the engine's own feature state. */
export function questionsOf(
  log: readonly LoggedEvent[],
  workspace: CompiledWorkspace,
  wanted: ReadonlySet<string>,
): readonly ListQuestion[] {
  const features = workspace.features.filter(({ name }) => wanted.has(name));
  const set = makeFeatureSet({ ...workspace, features });
  const states = new Map<string, SubjectState>();
  const questions: ListQuestion[] = [];
  log.forEach(({ id, type, user, session, time, properties, list }, row) => {
    const state = states.get(user) ?? set.empty();
    states.set(user, state);
    const chosen = properties.reference;
    if (type === 'clickout_item' && typeof chosen === 'string' && list.some(({ item }) => item === chosen))
      questions.push({ row, session, time, chosen, list, features: set.read(state, time) });
    set.update(state, { id, type, time, session, properties }, row);
  });
  return questions;
}
