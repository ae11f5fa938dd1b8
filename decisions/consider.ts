import type { Candidate, Verdict } from '../schemas/index.ts';
import type { CompiledAction, Expression, Scope } from '../workspace/index.ts';
import type { Contender, Question } from './question.ts';

export interface Considered {
  readonly contenders: readonly Contender[];
  /** Candidates that the rules put out, each with its verdict. */
  readonly out: readonly Candidate[];
}

/**
 * Applies the rules that need no score: eligibility, and the expressions of weight, value and lever.
 * An expression that reads nothing of the candidate is evaluated once for the whole decision.
 */
export function consider(question: Question): Considered {
  const contenders: Contender[] = [];
  const out: Candidate[] = [];
  const shared = new Map<Expression<boolean | number>, Outcome<boolean | number>>();

  for (const action of question.placement.actions) {
    const scope: Scope = {
      features: question.features,
      event: question.event,
      action: action.attributes,
      context: question.context,
    };
    const contender = contend(action, scope, shared);
    if ('stage' in contender) out.push({ action: action.name, verdict: contender });
    else contenders.push(contender);
  }
  return { contenders, out };
}

type Outcome<T> = { readonly value: T } | { readonly why: string };

function contend(
  action: CompiledAction,
  scope: Scope,
  shared: Map<Expression<boolean | number>, Outcome<boolean | number>>,
): Contender | Verdict {
  if (action.eligible !== null) {
    const eligible = evaluateOnce(action.eligible, scope, shared);
    if ('why' in eligible)
      return { stage: 'eligibility', rule: eligible.why, saw: action.eligible.saw(scope) };
    if (eligible.value !== true)
      return { stage: 'eligibility', rule: action.eligible.text, saw: action.eligible.saw(scope) };
  }
  const numbers: number[] = [];
  for (const [name, source] of [
    ['weight', action.weight],
    ['value', action.value],
    ['lever', action.lever],
  ] as const) {
    const number = typeof source === 'number' ? { value: source } : evaluateOnce(source, scope, shared);
    const saw = typeof source === 'number' ? {} : source.saw(scope);
    if ('why' in number) return { stage: 'arbitration', rule: number.why, saw };
    if (!(Number(number.value) > 0) || !Number.isFinite(number.value)) {
      return { stage: 'arbitration', rule: `${name} must be above 0, is ${number.value}`, saw };
    }
    numbers.push(Number(number.value));
  }
  const [contextWeight = 1, value = 1, lever = 1] = numbers;
  return { action, contextWeight, value, lever };
}

function evaluateOnce<T extends boolean | number>(
  expression: Expression<T>,
  scope: Scope,
  shared: Map<Expression<boolean | number>, Outcome<boolean | number>>,
): Outcome<boolean | number> {
  const known = shared.get(expression);
  if (known !== undefined) return known;
  const evaluation = expression.evaluate(scope);
  const outcome: Outcome<boolean | number> =
    evaluation.kind === 'value'
      ? { value: evaluation.value }
      : {
          why: evaluation.kind === 'missing' ? `missing: ${evaluation.name}` : `error: ${evaluation.message}`,
        };
  if (!expression.readsAction) shared.set(expression, outcome);
  return outcome;
}
