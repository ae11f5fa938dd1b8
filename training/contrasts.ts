import type { Examples } from './examples.ts';
import { countOf } from './examples.ts';

/**
 * A column made of two inputs: `of` - `minus`, kept within [least, most]. What two features say together ("this hotel
 * was looked at 20 s before the newest look") a tree or a bin sees only in their difference. Computed inside the ONNX
 * graph, so the engine's inputs stay plain features.
 */
export interface Contrast {
  readonly name: string;
  readonly of: string;
  readonly minus: string;
  readonly least: number;
  readonly most: number;
}

/** Which columns a model is fitted on: the inputs but the hidden ones, then the contrasts. */
export interface ColumnPlan {
  readonly contrasts: readonly Contrast[];
  /** Inputs that only contrasts read, such as times: by themselves they say when the model was trained. */
  readonly hidden: readonly string[];
}

export const plainColumns: ColumnPlan = { contrasts: [], hidden: [] };

/** The rows as a model is fitted on them. Throws RangeError where the plan names an input that is none. */
export function columnsOf(examples: Examples, plan: ColumnPlan): Examples {
  const { places, kept, names } = placesOf(examples.inputs, plan);
  const width = examples.inputs.length;
  const values = new Float32Array(countOf(examples) * names.length);
  for (let row = 0; row < countOf(examples); row++) {
    const from = row * width;
    let to = row * names.length;
    for (const input of kept) values[to++] = examples.values[from + input] ?? 0;
    for (const { of, minus, least, most } of places) {
      const difference = Math.fround(
        (examples.values[from + of] ?? 0) - (examples.values[from + minus] ?? 0),
      );
      values[to++] = Math.min(most, Math.max(least, difference));
    }
  }
  const { labels, lists } = examples;
  return { inputs: names, values, labels, ...(lists === undefined ? {} : { lists }) };
}

/** A plan with indexes of inputs in place of names. */
export function placesOf(inputs: readonly string[], { contrasts, hidden }: ColumnPlan) {
  const indexOf = (name: string): number => {
    const index = inputs.indexOf(name);
    if (index < 0) throw new RangeError(`the column plan names "${name}", which is no input`);
    return index;
  };
  const unseen = new Set(hidden.map(indexOf));
  const kept = inputs.flatMap((_, index) => (unseen.has(index) ? [] : [index]));
  return {
    kept,
    places: contrasts.map(({ of, minus, least, most }) => ({
      of: indexOf(of),
      minus: indexOf(minus),
      least: Math.fround(least),
      most: Math.fround(most),
    })),
    names: [...kept.map((index) => inputs[index] ?? ''), ...contrasts.map(({ name }) => name)],
  };
}
