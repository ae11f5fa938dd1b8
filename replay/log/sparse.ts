import type { ByAction } from './decision.ts';
import { growingFloats, growingIntegers } from './growing.ts';
import type { Names } from './names.ts';

/** Numbers by action, for each row that has some. */
export interface SparseRows {
  readonly starts: Int32Array;
  readonly actions: Int32Array;
  readonly values: Float64Array;
}

export class SparseWriter {
  readonly #starts = growingIntegers();
  readonly #actions = growingIntegers();
  readonly #values = growingFloats();
  /** How many rows have numbers. */
  rows = 0;

  add(given: ByAction | undefined, names: Names): void {
    this.#starts.push(this.#actions.length);
    if (given === undefined) return;
    this.rows++;
    for (const action in given) {
      this.#actions.push(names.numberOf(action));
      this.#values.push(given[action] as number);
    }
  }

  finish(): SparseRows {
    this.#starts.push(this.#actions.length);
    return { starts: this.#starts.values, actions: this.#actions.values, values: this.#values.values };
  }
}
