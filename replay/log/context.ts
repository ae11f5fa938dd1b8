import type { ContextValue } from './decision.ts';
import { growingFloats, growingIntegers } from './growing.ts';
import { Names } from './names.ts';

/** Contexts as sparse rows: row i has `columns[k]`, `values[k]` for k from starts[i] to before starts[i + 1]. */
export interface Contexts {
  readonly names: readonly string[];
  readonly starts: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
  /** Values that stood beyond the most columns and were left out. */
  readonly leftOut: number;
}

/** A name with a value of its own in each row, an id, would otherwise become a column for each row. */
const mostColumns = 4_096;

/** Numbers become a column each, in units of their standard deviation about their mean; texts and booleans one for each value. */
export class ContextWriter {
  readonly #names = new Names();
  readonly #isNumber: boolean[] = [];
  readonly #starts = growingIntegers();
  readonly #columns = growingIntegers();
  readonly #values = growingFloats();
  #leftOut = 0;

  add(context: Readonly<Record<string, ContextValue>> | undefined): void {
    this.#starts.push(this.#columns.length);
    if (context === undefined) return;
    for (const name in context) {
      const value = context[name];
      if (typeof value === 'number') {
        if (Number.isFinite(value)) this.#put(name, value, true);
      } else if (value !== null && value !== undefined) this.#put(`${name}=${value}`, 1, false);
    }
  }

  #put(name: string, value: number, isNumber: boolean): void {
    if (this.#names.find(name) < 0 && this.#names.list.length >= mostColumns) {
      this.#leftOut++;
      return;
    }
    const column = this.#names.numberOf(name);
    this.#isNumber[column] = isNumber;
    this.#columns.push(column);
    this.#values.push(value);
  }

  finish(): Contexts {
    this.#starts.push(this.#columns.length);
    const values = this.#values.values;
    const columns = this.#columns.values;
    standardise(values, columns, this.#isNumber);
    return {
      names: this.#names.list,
      starts: this.#starts.values,
      columns,
      values,
      leftOut: this.#leftOut,
    };
  }
}

function standardise(values: Float64Array, columns: Int32Array, isNumber: readonly boolean[]): void {
  const count = new Float64Array(isNumber.length);
  const mean = new Float64Array(isNumber.length);
  const squares = new Float64Array(isNumber.length);
  // Welford's way keeps the variance of numbers that are large and close to each other.
  for (let k = 0; k < values.length; k++) {
    const column = columns[k] as number;
    const value = values[k] as number;
    count[column] = (count[column] as number) + 1;
    const off = value - (mean[column] as number);
    mean[column] = (mean[column] as number) + off / (count[column] as number);
    squares[column] = (squares[column] as number) + off * (value - (mean[column] as number));
  }
  for (let k = 0; k < values.length; k++) {
    const column = columns[k] as number;
    if (!isNumber[column]) continue;
    const deviation = Math.sqrt((squares[column] as number) / (count[column] as number));
    values[k] = deviation > 0 ? ((values[k] as number) - (mean[column] as number)) / deviation : 0;
  }
}
