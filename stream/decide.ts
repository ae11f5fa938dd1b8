import type { Clock } from '../core/index.ts';
import {
  arbitrate,
  type Considered,
  consider,
  type Draft,
  type Question,
  type Scores,
} from '../decisions/index.ts';
import type { Scorer, Scorers } from '../scorers/index.ts';
import { buildRow } from '../scorers/index.ts';

export interface DecideParts {
  readonly scorers: Scorers;
  /** Milliseconds that the scoring of one batch may take in all. */
  readonly scoringBudgetMs: number;
  readonly clock: Clock;
}

/** Rows per call to a model: large enough to spread a call's cost, small enough to look at the budget between calls. */
const rowsPerCall = 256;

interface Work {
  readonly question: Question;
  readonly considered: Considered;
  scores: Scores | null;
}

/**
 * Decides all questions of a batch: rules first, then the models, then priorities. Candidates of all questions are
 * scored together under one budget; when it is spent, or a model fails, the rest is decided by rules. All candidates
 * of one question are scored on one rung. Drafts come in the order of the questions.
 */
export async function decideAll(questions: readonly Question[], parts: DecideParts): Promise<Draft[]> {
  if (questions.length === 0) return [];
  const work: Work[] = questions.map((question) => ({
    question,
    considered: consider(question),
    scores: null,
  }));
  const deadline = parts.clock.monotonic() + parts.scoringBudgetMs;
  for (const [scorer, mine] of byScorer(work, parts.scorers)) {
    for (const chunk of chunksOf(mine)) await scoreChunk(scorer, chunk, deadline, parts.clock);
  }
  return work.map(({ question, considered, scores }) =>
    arbitrate(question, considered, scores ?? byRules(considered, 'no_model'), parts.clock.now()),
  );
}

function byScorer(work: readonly Work[], scorers: Scorers): Map<Scorer, Work[]> {
  const groups = new Map<Scorer, Work[]>();
  for (const item of work) {
    const { model } = item.question.placement;
    const scorer = model === null ? undefined : scorers.get(model.id);
    if (scorer === undefined || item.considered.contenders.length === 0) continue;
    const group = groups.get(scorer);
    if (group === undefined) groups.set(scorer, [item]);
    else group.push(item);
  }
  return groups;
}

/** Whole decisions only, so that none is split over two rungs. */
function* chunksOf(work: readonly Work[]): Generator<Work[]> {
  let chunk: Work[] = [];
  let rows = 0;
  for (const item of work) {
    const more = item.considered.contenders.length;
    if (rows > 0 && rows + more > rowsPerCall) {
      yield chunk;
      chunk = [];
      rows = 0;
    }
    chunk.push(item);
    rows += more;
  }
  if (chunk.length > 0) yield chunk;
}

async function scoreChunk(
  scorer: Scorer,
  chunk: readonly Work[],
  deadline: number,
  clock: Clock,
): Promise<void> {
  const begun = clock.monotonic();
  if (begun >= deadline) {
    for (const item of chunk) item.scores = byRules(item.considered, 'budget_spent');
    return;
  }
  const { model } = scorer;
  const width = model.inputs.length;
  const count = chunk.reduce((sum, item) => sum + item.considered.contenders.length, 0);
  const rows = new Float32Array(count * width);
  let row = 0;
  for (const { question, considered } of chunk) {
    for (const { action } of considered.contenders) {
      buildRow(model, question.features, action.attributes, action.name, rows, row++ * width);
    }
  }
  let probabilities: Float32Array;
  try {
    probabilities = await scorer.score(rows, count);
  } catch {
    // The model's own metrics and log tell why; the decision still has to be made.
    for (const item of chunk) item.scores = byRules(item.considered, 'scorer_failed');
    return;
  }
  const scoringMs = clock.monotonic() - begun;
  let at = 0;
  for (const item of chunk) {
    const next = at + item.considered.contenders.length;
    item.scores = {
      acceptProbabilities: probabilities.subarray(at, next),
      rung: 'champion',
      rungReason: 'in_time',
      model: { id: model.id, version: model.version, sha256: model.sha256 },
      scoringMs,
    };
    at = next;
  }
}

function byRules(considered: Considered, rungReason: string): Scores {
  return {
    acceptProbabilities: considered.contenders.map(({ action }) => action.rulesProbability),
    rung: 'rules',
    rungReason,
    model: null,
    scoringMs: 0,
  };
}
