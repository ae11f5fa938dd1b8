import { type Contexts, ContextWriter } from './context.ts';
import type { LoggedDecision } from './decision.ts';
import { growingFloats, growingIntegers } from './growing.ts';
import { Names } from './names.ts';
import { type SparseRows, SparseWriter } from './sparse.ts';

/** Logged decisions as columns, one place a row: about 60 bytes a row besides contexts and distributions. */
export interface DecisionLog {
  readonly rows: number;
  readonly reward: Float64Array;
  readonly propensity: Float64Array;
  /** Equals `propensity` where no marginal was given. */
  readonly marginal: Float64Array;
  /** Numbers of `actions` and `positions`. */
  readonly action: Int32Array;
  readonly position: Int32Array;
  readonly actions: Names;
  readonly positions: readonly string[];
  /** null: no row names one. Rows without one are each their own. */
  readonly subject: Int32Array | null;
  readonly slate: Int32Array | null;
  readonly contexts: Contexts;
  /** null: no row has any. */
  readonly candidates: SparseRows | null;
  readonly propensities: SparseRows | null;
  readonly policy: SparseRows | null;
  readonly expected: SparseRows | null;
  /** Rows that were left out of the columns since nothing was drawn in them. */
  readonly deterministic: number;
}

/** Takes decisions one after the other, so that no file has to be held in memory as objects. */
export class DecisionLogWriter {
  readonly #reward = growingFloats();
  readonly #propensity = growingFloats();
  readonly #marginal = growingFloats();
  readonly #action = growingIntegers();
  readonly #position = growingIntegers();
  readonly #subject = growingIntegers();
  readonly #slate = growingIntegers();
  readonly #actions = new Names();
  readonly #positions = new Names();
  readonly #subjects = new Names();
  readonly #slates = new Names();
  readonly #contexts = new ContextWriter();
  readonly #candidates = new SparseWriter();
  readonly #propensities = new SparseWriter();
  readonly #policy = new SparseWriter();
  readonly #expected = new SparseWriter();
  #deterministic = 0;

  add(decision: LoggedDecision): void {
    if (decision.deterministic) {
      this.#deterministic++;
      return;
    }
    this.#reward.push(decision.reward);
    this.#propensity.push(decision.propensity);
    this.#marginal.push(decision.marginal ?? decision.propensity);
    this.#action.push(this.#actions.numberOf(decision.action));
    this.#position.push(this.#positions.numberOf(decision.position));
    this.#subject.push(decision.subject === undefined ? -1 : this.#subjects.numberOf(decision.subject));
    this.#slate.push(decision.slate === undefined ? -1 : this.#slates.numberOf(decision.slate));
    this.#contexts.add(decision.context);
    this.#candidates.add(
      decision.actions && Object.fromEntries(decision.actions.map((action) => [action, 1])),
      this.#actions,
    );
    this.#propensities.add(decision.propensities, this.#actions);
    this.#policy.add(decision.policy, this.#actions);
    this.#expected.add(decision.expected, this.#actions);
  }

  finish(): DecisionLog {
    const some = (writer: SparseWriter): SparseRows | null => (writer.rows === 0 ? null : writer.finish());
    return {
      rows: this.#reward.length,
      reward: this.#reward.values,
      propensity: this.#propensity.values,
      marginal: this.#marginal.values,
      action: this.#action.values,
      position: this.#position.values,
      actions: this.#actions,
      positions: this.#positions.list,
      subject: this.#subjects.list.length === 0 ? null : this.#subject.values,
      slate: this.#slates.list.length === 0 ? null : this.#slate.values,
      contexts: this.#contexts.finish(),
      candidates: some(this.#candidates),
      propensities: some(this.#propensities),
      policy: some(this.#policy),
      expected: some(this.#expected),
      deterministic: this.#deterministic,
    };
  }
}
