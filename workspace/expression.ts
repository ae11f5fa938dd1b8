import type { ParseResult } from '@marcbachmann/cel-js';
import { EvaluationError, ParseError } from '@marcbachmann/cel-js';
import { messageOf } from '../core/index.ts';
import type { FeatureValue } from '../schemas/index.ts';
import type { Evaluation, Expression, Scope } from './compiled.ts';
import { running, writing } from './expression-environment.ts';
import { foundMissingOnce, missingFrom } from './expression-missing.ts';
import type { ExpressionNames } from './expression-names.ts';
import { type Read, shown, valueAt } from './expression-read.ts';
import { type ExpressionProblem, type Translation, translate } from './expression-translate.ts';

export interface ResultTypes {
  readonly bool: boolean;
  readonly number: number;
}

export type ExpressionResult<T extends boolean | number> =
  | { readonly ok: true; readonly expression: Expression<T> }
  | { readonly ok: false; readonly problems: readonly ExpressionProblem[] };

/**
 * Parses and type-checks a CEL expression against the names it may read. `wants` is what it must give; numbers are
 * doubles throughout, so `cart_value > 50` and `views * 2` are right as they stand.
 */
export function compileExpression<K extends keyof ResultTypes>(
  text: string,
  wants: K,
  names: ExpressionNames,
): ExpressionResult<ResultTypes[K]> {
  const wrong = (...problems: ExpressionProblem[]) => ({ ok: false, problems }) as const;
  let translation: Translation;
  try {
    translation = translate(writing.parse(text).ast, names);
  } catch (error) {
    return wrong({
      message: syntaxMessage(error),
      offset: error instanceof ParseError ? (error.range?.start ?? 0) : 0,
    });
  }
  if (translation.problems.length > 0) return wrong(...translation.problems);

  const environment = running.clone();
  for (const read of translation.reads) environment.registerVariable(read.variable, read.type);
  const run = environment.parse(translation.text);
  const { type, error } = run.check();
  if (error !== undefined || type === undefined) {
    const range = error?.range ?? { start: 0, end: translation.text.length };
    const node = translation.original(range.start, range.end);
    const part = text.slice(node.start, node.end);
    const summary = error === undefined ? 'no type' : error.summary;
    return wrong({
      message: `the types in ${JSON.stringify(part)} don't fit (${summary})`,
      offset: node.start,
    });
  }
  if (!fits(type, wants)) {
    const expected = wants === 'bool' ? 'true or false' : 'a number';
    return wrong({
      message: `expected an expression that gives ${expected} but this gives ${type}`,
      offset: 0,
    });
  }
  return { ok: true, expression: new CelExpression(text, wants, translation, run) };
}

function syntaxMessage(error: unknown): string {
  if (!(error instanceof ParseError)) return `this expression can't be used: ${messageOf(error)}`;
  return error.code === 'limit_exceeded'
    ? `this expression is too long (${error.summary})`
    : `this is not a CEL expression (${error.summary})`;
}

function fits(type: string, wants: keyof ResultTypes): boolean {
  return type === 'dyn' || (wants === 'bool' ? type === 'bool' : type === 'double');
}

const isTrue: Evaluation<boolean> = { kind: 'value', value: true };
const isFalse: Evaluation<boolean> = { kind: 'value', value: false };

/** What the library asks for the value of a variable. Holds the scope of the evaluation in hand; nothing is copied. */
class Values extends Map<string, unknown> {
  readonly #reads = new Map<string, { read: Read; missing: { kind: 'missing'; name: string } }>();
  scope: Scope | null = null;

  constructor(reads: readonly Read[]) {
    super();
    for (const read of reads) {
      this.#reads.set(read.variable, { read, missing: { kind: 'missing', name: read.name } });
    }
  }

  override get(variable: string): unknown {
    const slot = this.#reads.get(variable);
    if (slot === undefined || this.scope === null) return undefined;
    const value = valueAt(slot.read, this.scope);
    if (slot.read.asksPresence) return value !== undefined;
    if (value === undefined) throw foundMissingOnce(slot.missing);
    return value;
  }
}

class CelExpression<K extends keyof ResultTypes> implements Expression<ResultTypes[K]> {
  readonly text: string;
  readonly reads: readonly string[];
  readonly readsAction: boolean;
  readonly #wants: K;
  readonly #translation: Translation;
  readonly #values: Values;
  readonly #run: ParseResult;

  constructor(text: string, wants: K, translation: Translation, run: ParseResult) {
    this.text = text;
    this.reads = [...new Set(translation.reads.map((read) => read.origin))];
    this.readsAction = translation.reads.some((read) => read.root === 'action');
    this.#wants = wants;
    this.#translation = translation;
    this.#values = new Values(translation.reads);
    this.#run = run;
  }

  evaluate(scope: Scope): Evaluation<ResultTypes[K]> {
    this.#values.scope = scope;
    try {
      return this.#result(this.#run(this.#values));
    } catch (error) {
      return missingFrom(error) ?? this.#failed(error);
    } finally {
      this.#values.scope = null;
    }
  }

  saw(scope: Scope): Record<string, FeatureValue> {
    const seen: Record<string, FeatureValue> = {};
    for (const read of this.#translation.reads) seen[read.name] = shown(valueAt(read, scope));
    return seen;
  }

  #result(value: unknown): Evaluation<ResultTypes[K]>;
  #result(value: unknown): Evaluation<boolean | number> {
    if (this.#wants === 'bool') {
      if (value === true) return isTrue;
      if (value === false) return isFalse;
      return { kind: 'error', message: `${this.text}: expected true or false but got ${typeof value}` };
    }
    if (typeof value === 'number' && Number.isFinite(value)) return { kind: 'value', value };
    return { kind: 'error', message: `${this.text}: expected a finite number but got ${String(value)}` };
  }

  #failed(error: unknown): Evaluation<never> {
    if (!(error instanceof EvaluationError))
      return { kind: 'error', message: `${this.text}: ${messageOf(error)}` };
    // A field of an element, or an index past the end: as missing as a property of the event.
    if (error.code === 'no_such_key' || error.code === 'index_out_of_bounds') {
      const { start, end } = error.range ?? { start: 0, end: 0 };
      const node = this.#translation.original(start, error.node?.end ?? end);
      return { kind: 'missing', name: this.text.slice(node.start, node.end) };
    }
    return { kind: 'error', message: `${this.text}: ${error.summary}` };
  }
}
