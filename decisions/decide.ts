import type { DecisionRecord, Resolution } from '../schemas/index.ts';
import { arbitrate, type Draft } from './arbitrate.ts';
import { type Considered, consider } from './consider.ts';
import { finishDecision } from './finish.ts';
import type { Question, Scores } from './question.ts';

/** What a decision needs beside its question. Where both are pure, so is the decision. */
export interface DecideParts {
  /** Acceptance probabilities of the contenders. */
  score(question: Question, considered: Considered): Scores;
  /** What the commit says of room. */
  resolve(draft: Draft): Resolution;
  readonly decidedAt: number;
}

/**
 * A whole decision: eligibility, applicability, suitability and constraints (consider), scoring, arbitration and
 * exploration (arbitrate), caps and the gate (finishDecision). Every candidate ends with one verdict. The stream and
 * the request path take the same steps, for many decisions at once and with the store between the last two.
 */
export function decide(question: Question, { score, resolve, decidedAt }: DecideParts): DecisionRecord {
  const considered = consider(question);
  const draft = arbitrate(question, considered, score(question, considered), decidedAt);
  return finishDecision(draft.record, draft.choices, resolve(draft), draft.slots);
}
