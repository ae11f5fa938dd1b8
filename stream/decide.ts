import { arbitrate, consider, type Draft, type Question, type Scores } from '../decisions/index.ts';
import { type Climb, climbDown, type LadderParts } from './ladder.ts';

export type DecideParts = LadderParts;

/**
 * Decides all questions of a batch: rules first, then the models, then priorities. Candidates of all questions are
 * scored together under one budget, down the ladder of their placements. Drafts come in the order of the questions.
 */
export async function decideAll(questions: readonly Question[], parts: DecideParts): Promise<Draft[]> {
  if (questions.length === 0) return [];
  const climbs: Climb[] = questions.map((question) => ({
    question,
    considered: consider(question),
    scores: null,
    rungs: {},
    shadows: [],
  }));
  await climbDown(climbs, parts);
  return climbs.map((climb) => draftOf(climb, climb.scores as Scores, parts.clock.now()));
}

function draftOf({ question, considered, rungs, shadows }: Climb, scores: Scores, decidedAt: number): Draft {
  const draft = arbitrate(question, considered, scores, decidedAt);
  const { record } = draft;
  return {
    ...draft,
    record: {
      ...record,
      ...(question.lookups === undefined ? {} : { lookups: question.lookups }),
      ...(shadows.length === 0 ? {} : { shadows }),
      timings: { ...record.timings, rungs },
    },
  };
}
