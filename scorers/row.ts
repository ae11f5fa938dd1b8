import type { FeatureValue, FeatureVector } from '../schemas/index.ts';
import { type CompiledModel, modelInput } from '../workspace/index.ts';

type Column =
  | { readonly from: 'feature'; readonly name: string; readonly missing: number }
  | { readonly from: 'attribute'; readonly name: string; readonly missing: number }
  /** Of a feature by a property, the value at the candidate's attribute. */
  | { readonly from: 'key'; readonly name: string; readonly attribute: string; readonly missing: number }
  | { readonly from: 'action'; readonly name: string };

/** Beyond it a number is infinite as float32, and one subject's row would fail the whole call. */
const largestFloat32 = 3.4028234663852886e38;

const columnsByModel = new WeakMap<CompiledModel, readonly Column[]>();

/**
 * Writes the input row of one candidate to `out[offset .. offset + model.inputs.length)`.
 * A number is itself, a boolean 0 or 1, `is.<action>` 1 for that action and else 0; what is absent, null, not finite
 * or no number becomes the column's entry in `model.defaults`, else `model.missing`.
 */
export function buildRow(
  model: CompiledModel,
  features: FeatureVector,
  attributes: Readonly<Record<string, number | string>>,
  action: string,
  out: Float32Array,
  offset: number,
): void {
  let at = offset;
  for (const column of columnsOf(model)) {
    switch (column.from) {
      case 'feature':
        out[at] = numberFrom(features[column.name], column.missing);
        break;
      case 'attribute':
        out[at] = numberFrom(attributes[column.name], column.missing);
        break;
      case 'key':
        out[at] = numberFrom(valueAt(features[column.name], attributes[column.attribute]), column.missing);
        break;
      case 'action':
        out[at] = column.name === action ? 1 : 0;
        break;
    }
    at++;
  }
}

function columnsOf(model: CompiledModel): readonly Column[] {
  let columns = columnsByModel.get(model);
  if (columns === undefined) {
    columns = model.inputs.map((input) => columnOf(input, model));
    columnsByModel.set(model, columns);
  }
  return columns;
}

function columnOf(input: string, model: CompiledModel): Column {
  const parsed = modelInput(input);
  if (parsed.from === 'action') return { from: 'action', name: parsed.action };
  const missing = Object.hasOwn(model.defaults, input) ? (model.defaults[input] ?? 0) : model.missing;
  switch (parsed.from) {
    case 'feature':
      return { from: 'feature', name: parsed.feature, missing };
    case 'attribute':
      return { from: 'attribute', name: parsed.attribute, missing };
    case 'key':
      return { from: 'key', name: parsed.feature, attribute: parsed.attribute, missing };
  }
}

/** The value of a map feature at a candidate's attribute; undefined where either is absent. */
function valueAt(
  values: FeatureValue | undefined,
  attribute: number | string | undefined,
): number | undefined {
  if (values === null || typeof values !== 'object' || Array.isArray(values) || attribute === undefined)
    return undefined;
  const key = String(attribute);
  return Object.hasOwn(values, key) ? (values as Readonly<Record<string, number>>)[key] : undefined;
}

function numberFrom(value: FeatureValue | undefined, missing: number): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value !== 'number' || !Number.isFinite(value)) return missing;
  return Math.min(Math.max(value, -largestFloat32), largestFloat32);
}
