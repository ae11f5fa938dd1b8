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
  const candidate = { name: action, attributes };
  for (const column of columnsOf(model)) out[at++] = numberOf(column, features, candidate);
}

function numberOf(column: Column, features: FeatureVector, { name, attributes }: RowOf): number {
  switch (column.from) {
    case 'feature':
      return numberFrom(features[column.name], column.missing);
    case 'attribute':
      return numberFrom(attributes[column.name], column.missing);
    case 'key':
      return numberFrom(valueAt(features[column.name], attributes[column.attribute]), column.missing);
    case 'action':
      return column.name === name ? 1 : 0;
  }
}

/** A candidate of a decision, as far as a model reads it. */
export interface RowOf {
  readonly name: string;
  readonly attributes: Readonly<Record<string, number | string>>;
}

/**
 * Writes the rows of one decision's candidates to `out`, from `offset` on: as `buildRow` for each of them, but what is
 * the subject's is looked up once, and what is an action's once for good.
 */
export function buildRows(
  model: CompiledModel,
  features: FeatureVector,
  candidates: readonly RowOf[],
  out: Float32Array,
  offset: number,
): void {
  const columns = columnsOf(model);
  const width = columns.length;
  const own = ownColumns(model);
  for (const [row, candidate] of candidates.entries()) {
    const from = offset + row * width;
    if (row === 0) {
      buildRow(model, features, candidate.attributes, candidate.name, out, from);
      continue;
    }
    out.copyWithin(from, offset, offset + width);
    if (own.fixed.length > 0) {
      const values = fixedOf(own, columns, candidate);
      for (let at = 0; at < own.fixed.length; at++) out[from + (own.fixed[at] ?? 0)] = values[at] ?? 0;
    }
    for (const at of own.keyed) out[from + at] = numberOf(columns[at] as Column, features, candidate);
  }
}

/** Columns that differ between candidates: those that are the action's alone, and those by its key. */
interface OwnColumns {
  readonly fixed: readonly number[];
  readonly keyed: readonly number[];
  readonly values: WeakMap<RowOf, Float32Array>;
}
const ownByModel = new WeakMap<CompiledModel, OwnColumns>();

function ownColumns(model: CompiledModel): OwnColumns {
  let own = ownByModel.get(model);
  if (own === undefined) {
    const where = (kinds: readonly Column['from'][]): number[] =>
      columnsOf(model).flatMap(({ from }, at) => (kinds.includes(from) ? [at] : []));
    own = { fixed: where(['attribute', 'action']), keyed: where(['key']), values: new WeakMap() };
    ownByModel.set(model, own);
  }
  return own;
}

function fixedOf(own: OwnColumns, columns: readonly Column[], candidate: RowOf): Float32Array {
  let values = own.values.get(candidate);
  if (values === undefined) {
    values = Float32Array.from(own.fixed, (at) => numberOf(columns[at] as Column, {}, candidate));
    own.values.set(candidate, values);
  }
  return values;
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
