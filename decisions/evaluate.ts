import type { Expression, Scope } from '../workspace/index.ts';

/** What an expression gave, or why it gave nothing: `missing: NAME`, `error: MESSAGE`. */
export type Outcome = { readonly value: boolean | number } | { readonly why: string };

/** Evaluations of one decision that hold for every candidate. */
export type Known = Map<Expression<boolean | number>, Outcome>;

/** An expression that reads nothing of the candidate is evaluated once for the whole decision. */
export function evaluateOnce(expression: Expression<boolean | number>, scope: Scope, known: Known): Outcome {
  if (expression.readsAction) return evaluate(expression, scope);
  let outcome = known.get(expression);
  if (outcome === undefined) {
    outcome = evaluate(expression, scope);
    known.set(expression, outcome);
  }
  return outcome;
}

function evaluate(expression: Expression<boolean | number>, scope: Scope): Outcome {
  const evaluation = expression.evaluate(scope);
  switch (evaluation.kind) {
    case 'value':
      return evaluation;
    case 'missing':
      return { why: `missing: ${evaluation.name}` };
    case 'error':
      return { why: `error: ${evaluation.message}` };
  }
}
