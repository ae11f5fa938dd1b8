import type { Candidate, Exploration, NothingCandidate, Verdict } from '../schemas/index.ts';
import type { CompiledExploration } from '../workspace/index.ts';
import type { Considered } from './consider.ts';
import { drawRanking } from './explore/draw.ts';
import { type Item, nothing, uniformWeight } from './explore/items.ts';
import { randomFrom } from './explore/random.ts';
import type { Contender, Question, Scores } from './question.ts';

export interface Ranking {
  /** Contenders by priority, then those without a score. */
  readonly candidates: readonly Candidate[];
  readonly nothing?: NothingCandidate;
  readonly exploration?: Exploration;
  /** What the commit chooses from, first to last; null: nothing. */
  readonly order: readonly (Contender | null)[];
}

interface Placed extends Item {
  readonly contender: Contender | null;
  readonly score: NonNullable<Candidate['score']> | null;
}

/**
 * Scoring, arbitration and exploration: contenders by priority = P x C x V x L (MISSION.md), highest first, ties in the
 * order of the workspace file; then the ranking that the policy draws of them. A contender whose acceptance probability
 * is no probability is out at scoring.
 */
export function rank(
  question: Question,
  { contenders, nothing: worth }: Considered,
  scores: Scores,
): Ranking {
  const { placed, unscored } = place(contenders, scores);
  if (worth !== undefined) placed.push({ action: nothing, priority: worth, contender: null, score: null });
  // Stable, so that ties stay in the order of the file; nothing comes after what is worth as much.
  placed.sort((a, b) => b.priority - a.priority);
  const exploration = explorationOf(question, scores, placed.length);
  const random = exploration && randomFrom(question.placement.policy, question.id);
  const order = random === undefined ? null : drawRanking({ items: placed, exploration }, random);
  const drawn: number[] = [];
  for (const [at, index] of (order ?? []).entries()) drawn[index] = at + 1;

  const candidates: Candidate[] = [];
  let none: NothingCandidate | undefined;
  for (const [index, { action, priority, posterior, score }] of placed.entries()) {
    const place = order === null ? { rank: index + 1 } : { rank: index + 1, drawn: drawn[index] ?? 0 };
    if (score === null) none = { priority, ...place };
    else candidates.push({ action, verdict: outranked, score, ...place, ...(posterior && { posterior }) });
  }
  return {
    candidates: unscored.length === 0 ? candidates : [...candidates, ...unscored],
    ...(none && { nothing: none }),
    ...(exploration && { exploration }),
    order:
      order === null
        ? placed.map(({ contender }) => contender)
        : order.map((index) => placed[index]?.contender ?? null),
  };
}

function place(
  contenders: readonly Contender[],
  scores: Scores,
): { placed: Placed[]; unscored: Candidate[] } {
  const placed: Placed[] = [];
  const unscored: Candidate[] = [];
  for (const [index, contender] of contenders.entries()) {
    const { contextWeight, value, lever, posterior } = contender;
    const action = contender.action.name;
    const acceptProbability =
      posterior === undefined
        ? (scores.acceptProbabilities[index] ?? Number.NaN)
        : posterior.alpha / (posterior.alpha + posterior.beta);
    if (!(acceptProbability >= 0 && acceptProbability <= 1)) {
      unscored.push({ action, verdict: noScore });
      continue;
    }
    const priority = acceptProbability * contextWeight * value * lever;
    const score = { acceptProbability, contextWeight, value, lever, priority };
    const scale = posterior && contextWeight * value * lever;
    placed.push({ action, priority, posterior, scale, contender, score });
  }
  return { placed, unscored };
}

/** Absent: by priority alone, as wherever the scores are no more than a stopgap. */
function explorationOf(
  { placement: { exploration: stated } }: Question,
  { rung, explores = true }: Scores,
  candidates: number,
): Exploration | undefined {
  if (stated === undefined || !explores || rung === 'default' || candidates === 0) return undefined;
  const epsilon = stated.kind === 'epsilon_greedy' ? stated.epsilon : 0;
  const uniform = uniformWeight(candidates, epsilon, stated.floor);
  return { kind: stated.kind, ...temperatureOf(stated), uniform };
}

const temperatureOf = (stated: CompiledExploration): { temperature?: number } =>
  stated.kind === 'softmax' ? { temperature: stated.temperature } : {};

const outranked: Verdict = { stage: 'arbitration', rule: 'outranked', saw: {} };
const noScore: Verdict = { stage: 'scoring', rule: 'no score', saw: {} };
