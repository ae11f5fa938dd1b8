import type { Examples } from './examples.ts';
import { countOf } from './examples.ts';

/**
 * A column made of two others: `of` - `minus`, kept within [least, most]. What two features say together ("this hotel
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

/** The same rows with the contrasts as further columns behind the inputs. */
export function withContrasts(examples: Examples, contrasts: readonly Contrast[]): Examples {
  if (contrasts.length === 0) return examples;
  const width = examples.inputs.length;
  const wide = width + contrasts.length;
  const places = contrasts.map((contrast) => placesOf(examples.inputs, contrast));
  const values = new Float32Array(countOf(examples) * wide);
  for (let row = 0; row < countOf(examples); row++) {
    const from = row * width;
    const to = row * wide;
    for (let column = 0; column < width; column++) values[to + column] = examples.values[from + column] ?? 0;
    contrasts.forEach(({ least, most }, index) => {
      const { of, minus } = places[index] ?? { of: 0, minus: 0 };
      const difference = Math.fround(
        (examples.values[from + of] ?? 0) - (examples.values[from + minus] ?? 0),
      );
      values[to + width + index] = Math.min(most, Math.max(least, difference));
    });
  }
  const { inputs, labels, lists } = examples;
  return {
    inputs: [...inputs, ...contrasts.map(({ name }) => name)],
    values,
    labels,
    ...(lists === undefined ? {} : { lists }),
  };
}

/** Indexes of a contrast's inputs. Throws RangeError where one is none. */
export function placesOf(inputs: readonly string[], { name, of, minus }: Contrast) {
  const places = { of: inputs.indexOf(of), minus: inputs.indexOf(minus) };
  if (places.of < 0 || places.minus < 0)
    throw new RangeError(`contrast "${name}" needs ${of} and ${minus} among the inputs`);
  return places;
}
