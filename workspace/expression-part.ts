import { EvaluationError, type ParseResult } from '@marcbachmann/cel-js';
import { messageOf } from '../core/index.ts';
import type { Evaluation, Scope } from './compiled.ts';
import { running } from './expression-environment.ts';
import { expectMissing, type Missing, missingIn, missingValue } from './expression-missing.ts';
import { type Read, valueAt } from './expression-read.ts';
import type { ExpressionProblem, Translation } from './expression-translate.ts';

export type Failure = Exclude<Evaluation<never>, { kind: 'value' }>;

interface Slot {
  readonly read: Read;
  readonly missing: Missing;
}

/** What the library asks for the value of a variable. Holds the scope of the evaluation in hand; nothing is copied. */
class Values extends Map<string, unknown> {
  readonly #slots: ReadonlyMap<string, Slot>;
  scope: Scope | null = null;

  constructor(slots: readonly Slot[]) {
    super();
    this.#slots = new Map(slots.map((slot) => [slot.read.variable, slot]));
  }

  override get(variable: string): unknown {
    const slot = this.#slots.get(variable);
    if (slot === undefined || this.scope === null) return undefined;
    const value = valueAt(slot.read, this.scope);
    if (slot.read.asksPresence) return value !== undefined;
    if (value === undefined) throw missingValue(slot.missing);
    return value;
  }
}

/** A translated expression, or one conjunct of it, ready to run. */
export class Part {
  readonly reads: readonly Read[];
  readonly #text: string;
  readonly #wants: 'bool' | 'number';
  readonly #translation: Translation;
  readonly #run: ParseResult;
  readonly #values: Values;
  /** Reads that are always reached: when one of them is missing, so is the result, and nothing need be run. */
  readonly #certain: readonly Slot[];

  /** `text` is the whole expression as written. */
  static of(
    text: string,
    wants: 'bool' | 'number',
    translation: Translation,
  ): Part | { readonly problems: readonly ExpressionProblem[] } {
    const environment = running.clone();
    for (const read of translation.reads) environment.registerVariable(read.variable, read.type);
    const run = environment.parse(translation.text);
    const { type, error } = run.check();
    if (error !== undefined || type === undefined) {
      const { start, end } = error?.range ?? { start: 0, end: translation.text.length };
      const node = translation.original(start, end);
      const reason = error === undefined ? 'it has no type' : error.summary;
      const message = `the types in ${JSON.stringify(text.slice(node.start, node.end))} don't fit (${reason})`;
      return { problems: [{ message, offset: node.start }] };
    }
    if (type !== 'dyn' && type !== (wants === 'bool' ? 'bool' : 'double')) {
      const expected = wants === 'bool' ? 'true or false' : 'a number';
      const message = `expected an expression that gives ${expected} but this gives ${type}`;
      return { problems: [{ message, offset: translation.root.start }] };
    }
    return new Part(text, wants, translation, run);
  }

  private constructor(text: string, wants: 'bool' | 'number', translation: Translation, run: ParseResult) {
    this.#text = text;
    this.#wants = wants;
    this.#translation = translation;
    this.#run = run;
    this.reads = translation.reads;
    const slots = this.reads.map((read): Slot => ({ read, missing: { kind: 'missing', name: read.name } }));
    this.#values = new Values(slots);
    this.#certain = translation.hasBranches ? [] : slots.filter(({ read }) => !read.asksPresence);
  }

  evaluate(scope: Scope): boolean | number | Failure {
    for (const slot of this.#certain) {
      if (valueAt(slot.read, scope) === undefined) return slot.missing;
    }
    this.#values.scope = scope;
    expectMissing(this.#translation.hasBranches);
    try {
      const value: unknown = this.#run(this.#values);
      const missing = missingIn();
      if (missing !== null) return missing;
      if (this.#wants === 'bool' ? typeof value === 'boolean' : Number.isFinite(value))
        return value as boolean | number;
      const expected = this.#wants === 'bool' ? 'true or false' : 'a finite number';
      return { kind: 'error', message: `${this.#text}: expected ${expected} but got ${shortly(value)}` };
    } catch (error) {
      return missingIn(error) ?? this.#failureFrom(error);
    } finally {
      this.#values.scope = null;
    }
  }

  #failureFrom(error: unknown): Failure {
    if (!(error instanceof EvaluationError)) {
      return { kind: 'error', message: `${this.#text}: ${messageOf(error)}` };
    }
    // A field of an element, or an index past the end: as missing as a property of the event.
    if (error.code === 'no_such_key' || error.code === 'index_out_of_bounds') {
      const { start, end } = error.range ?? { start: 0, end: 0 };
      const node = this.#translation.original(start, error.node?.end ?? end);
      return { kind: 'missing', name: this.#text.slice(node.start, node.end) };
    }
    return { kind: 'error', message: `${this.#text}: ${error.summary}` };
  }
}

function shortly(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : `a ${typeof value}`;
}
