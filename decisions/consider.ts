import type { Candidate, Posterior, Verdict } from '../schemas/index.ts';
import type { CompiledAction, CompiledExploration, Scope } from '../workspace/index.ts';
import { constraints } from './constraints.ts';
import { evaluateOnce, type Known } from './evaluate.ts';
import type { Contender, Question } from './question.ts';

export interface Considered {
  readonly contenders: readonly Contender[];
  /** Candidates that the rules put out, each with its verdict. */
  readonly out: readonly Candidate[];
  /** What offering nothing is worth; absent: it is no candidate. */
  readonly nothing?: number;
}

/**
 * The stages that need no score: eligibility, applicability, suitability, and the constraints that are known before
 * the commit; then the amounts that a priority is made of.
 */
export function consider(question: Question): Considered {
  const contenders: Contender[] = [];
  const out: Candidate[] = [];
  const known: Known = new Map();
  const { features, event, context, placement } = question;
  for (const action of placement.actions) {
    const scope: Scope = { features, event, action: action.attributes, context };
    const verdict = ruleOut(action, scope, known) ?? constrain(action, question);
    const result = verdict ?? weigh(action, scope, known);
    if ('stage' in result) {
      out.push({ action: action.name, verdict: result });
      continue;
    }
    const posterior =
      placement.exploration?.kind === 'thompson' ? believe(placement.exploration, scope, known) : null;
    if (posterior === null) contenders.push(result);
    else if ('stage' in posterior) out.push({ action: action.name, verdict: posterior });
    else contenders.push({ ...result, posterior });
  }
  const worth = worthOfNothing(question, known);
  return worth === null ? { contenders, out } : { contenders, out, nothing: worth };
}

/** Null: not stated, or not known for this subject. */
function worthOfNothing({ placement, features, event, context }: Question, known: Known): number | null {
  const { nothing } = placement;
  if (nothing === undefined || typeof nothing === 'number') return nothing ?? null;
  const outcome = evaluateOnce(nothing, { features, event, action: null, context }, known);
  return 'value' in outcome && Number(outcome.value) > 0 ? Number(outcome.value) : null;
}

/** The posterior of a candidate's acceptance probability. Below 1 its density would have no bound. */
function believe(
  { alpha, beta }: Extract<CompiledExploration, { kind: 'thompson' }>,
  scope: Scope,
  known: Known,
): Posterior | Verdict {
  const numbers: number[] = [];
  for (const [name, expression] of Object.entries({ alpha, beta })) {
    const outcome = evaluateOnce(expression, scope, known);
    const isKnown = 'value' in outcome && Number(outcome.value) >= 1 && Number(outcome.value) < Infinity;
    if (!isKnown) {
      const rule = 'why' in outcome ? outcome.why : `${name} must be at least 1, is ${outcome.value}`;
      return { stage: 'scoring', rule, saw: expression.saw(scope) };
    }
    numbers.push(Number(outcome.value));
  }
  const [a = 1, b = 1] = numbers;
  return { alpha: a, beta: b };
}

/** The first rule that does not hold. One that can't be evaluated does not hold. */
function ruleOut(action: CompiledAction, scope: Scope, known: Known): Verdict | null {
  for (const { stage, expression } of action.rules) {
    const outcome = evaluateOnce(expression, scope, known);
    if ('value' in outcome && outcome.value === true) continue;
    return { stage, rule: 'why' in outcome ? outcome.why : expression.text, saw: expression.saw(scope) };
  }
  return null;
}

function constrain(action: CompiledAction, question: Question): Verdict | null {
  for (const constraint of constraints) {
    const verdict = constraint(action, question);
    if (verdict !== null) return verdict;
  }
  return null;
}

/** Context weight, value and lever, which must be above 0. */
function weigh(action: CompiledAction, scope: Scope, known: Known): Contender | Verdict {
  const contextWeight = amount('weight', action.weight, scope, known);
  if (typeof contextWeight !== 'number') return contextWeight;
  const value = amount('value', action.value, scope, known);
  if (typeof value !== 'number') return value;
  const lever = amount('lever', action.lever, scope, known);
  if (typeof lever !== 'number') return lever;
  return { action, contextWeight, value, lever };
}

function amount(
  name: 'weight' | 'value' | 'lever',
  source: CompiledAction['value'],
  scope: Scope,
  known: Known,
): number | Verdict {
  const outcome = typeof source === 'number' ? { value: source } : evaluateOnce(source, scope, known);
  if ('value' in outcome) {
    const number = Number(outcome.value);
    if (number > 0 && number < Infinity) return number;
  }
  return {
    stage: 'arbitration',
    rule: 'why' in outcome ? outcome.why : `${name} must be above 0, is ${outcome.value}`,
    saw: typeof source === 'number' ? {} : source.saw(scope),
  };
}
