import { type Clock, PresageError } from '../core/index.ts';
import type { Considered, Question, Scores } from '../decisions/index.ts';
import type { Rung, ShadowScores } from '../schemas/index.ts';
import type { Scorer, Scorers } from '../scorers/index.ts';
import { buildRows } from '../scorers/index.ts';
import { chunksOf } from './chunks.ts';

export interface LadderParts {
  readonly scorers: Scorers;
  /** Milliseconds that the scoring of one batch may take in all. */
  readonly scoringBudgetMs: number;
  readonly clock: Clock;
  /** There is more to decide than time for it: the champion and those who only watch are not asked. */
  readonly isOverloaded?: boolean | undefined;
}

/** One decision on its way down the ladder. */
export interface Climb {
  readonly question: Question;
  readonly considered: Considered;
  scores: Scores | null;
  readonly rungs: Partial<Record<Rung, number>>;
  shadows: ShadowScores[];
}

/** Of the scoring budget: until when each rung may be asked. What is left is for the rules and the ranking. */
const shares = { champion: 0.7, cheap: 0.9 } as const;
/** Candidates whose scores a watching model leaves in the record. */
const mostShadowed = 50;

interface Step {
  readonly rung: 'champion' | 'cheap';
  readonly model: string;
  readonly until: number;
}

/**
 * Scores the contenders of each decision on one rung: the champion in its share of the budget, else the cheaper model
 * in its own, else by rules. `rungReason` says why not the rung above. Then models that only watch are asked in what is
 * left of the budget.
 */
export async function climbDown(climbs: readonly Climb[], parts: LadderParts): Promise<void> {
  const begun = parts.clock.monotonic();
  for (const group of groupsOf(climbs).values()) {
    const steps = stepsOf(group, begun, parts);
    for (const chunk of chunksOf(group)) await scoreChunk(chunk, steps, parts);
  }
  for (const climb of climbs) climb.scores ??= byRules(climb.considered, 'no_model', 0, true);
  if (parts.isOverloaded !== true) await watch(climbs, begun + parts.scoringBudgetMs, parts);
}

/** Those with the same models, so that their candidates share calls; those with none, or nothing to score, are left. */
function groupsOf(climbs: readonly Climb[]): Map<string, Climb[]> {
  const groups = new Map<string, Climb[]>();
  for (const climb of climbs) {
    const { model, fallback } = climb.question.placement;
    if (model === null || climb.considered.contenders.length === 0) continue;
    const key = `${model.id}\n${fallback?.id ?? ''}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [climb]);
    else group.push(climb);
  }
  return groups;
}

function stepsOf(group: readonly Climb[], begun: number, { scoringBudgetMs }: LadderParts): readonly Step[] {
  const { model, fallback } = group[0]?.question.placement ?? {};
  if (model == null) return [];
  const untilCheap = begun + scoringBudgetMs * shares.cheap;
  if (fallback === undefined) return [{ rung: 'champion', model: model.id, until: untilCheap }];
  return [
    { rung: 'champion', model: model.id, until: begun + scoringBudgetMs * shares.champion },
    { rung: 'cheap', model: fallback.id, until: untilCheap },
  ];
}

async function scoreChunk(
  chunk: readonly Climb[],
  steps: readonly Step[],
  parts: LadderParts,
): Promise<void> {
  const begun = parts.clock.monotonic();
  let why: string | null = null;
  for (const step of steps) {
    const outcome = await askRung(chunk, step, why, parts);
    if (outcome === null) return;
    // A row that a model cannot score is its own decision's trouble, whoever shares the batch with it.
    if (outcome === 'scorer_failed' && chunk.length > 1) {
      for (const climb of chunk) await scoreChunk([climb], steps, parts);
      return;
    }
    why ??= outcome;
  }
  const ms = parts.clock.monotonic() - begun;
  for (const climb of chunk) climb.scores = byRules(climb.considered, why ?? 'no_model', ms, false);
}

/** null: scored. Else why not, in one word. */
async function askRung(
  chunk: readonly Climb[],
  { rung, model: id, until }: Step,
  why: string | null,
  { scorers, clock, isOverloaded }: LadderParts,
): Promise<string | null> {
  if (rung === 'champion' && isOverloaded === true) return 'overloaded';
  const scorer = scorers.get(id);
  if (scorer === undefined) return 'model_absent';
  const begun = clock.monotonic();
  if (begun >= until) return 'budget_spent';
  try {
    const scored = await scoresOf(scorer, chunk, until - begun);
    const scoringMs = clock.monotonic() - begun;
    const { version, sha256 } = scorer.model;
    let at = 0;
    for (const climb of chunk) {
      const next = at + climb.considered.contenders.length;
      climb.rungs[rung] = scoringMs;
      climb.scores = {
        acceptProbabilities: scored.subarray(at, next),
        rung,
        rungReason: why ?? 'in_time',
        model: { id, version, sha256 },
        scoringMs,
      };
      at = next;
    }
    return null;
  } catch (error) {
    for (const climb of chunk) climb.rungs[rung] = clock.monotonic() - begun;
    // The model's own metrics and log tell more; the decision still has to be made.
    return error instanceof PresageError ? error.code : 'scorer_failed';
  }
}

function scoresOf(scorer: Scorer, chunk: readonly Climb[], withinMs: number): Promise<Float32Array> {
  const { model } = scorer;
  const width = model.inputs.length;
  const count = chunk.reduce((sum, { considered }) => sum + considered.contenders.length, 0);
  const rows = new Float32Array(count * width);
  let row = 0;
  for (const { question, considered } of chunk) {
    const actions = considered.contenders.map(({ action }) => action);
    buildRows(model, question.features, actions, rows, row * width);
    row += actions.length;
  }
  return scorer.score(rows, count, withinMs);
}

/** What models that only watch would have said, where there is time: nothing waits for them beyond the budget. */
async function watch(climbs: readonly Climb[], deadline: number, parts: LadderParts): Promise<void> {
  const watched = new Map<string, Climb[]>();
  for (const climb of climbs) {
    if (climb.considered.contenders.length === 0) continue;
    for (const { id } of climb.question.placement.shadows ?? []) {
      const group = watched.get(id);
      if (group === undefined) watched.set(id, [climb]);
      else group.push(climb);
    }
  }
  for (const [id, group] of watched) {
    const scorer = parts.scorers.get(id);
    if (scorer === undefined) continue;
    const { version, sha256 } = scorer.model;
    for (const chunk of chunksOf(group)) {
      const left = deadline - parts.clock.monotonic();
      if (left <= 0) return;
      const scored = await scoresOf(scorer, chunk, left).catch(() => null);
      if (scored === null) continue;
      let at = 0;
      for (const { considered, shadows } of chunk) {
        const { contenders } = considered;
        const shown = contenders.slice(0, mostShadowed);
        const entries = shown.map(({ action }, index) => [action.name, scored[at + index] ?? 0] as const);
        shadows.push({ model: { id, version, sha256 }, acceptProbabilities: Object.fromEntries(entries) });
        at += contenders.length;
      }
    }
  }
}

function byRules(considered: Considered, rungReason: string, scoringMs: number, explores: boolean): Scores {
  return {
    acceptProbabilities: considered.contenders.map(({ action }) => action.rulesProbability),
    rung: 'rules',
    rungReason,
    model: null,
    scoringMs,
    explores,
  };
}
