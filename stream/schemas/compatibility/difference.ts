/** JSON Schema as parsed JSON; `true` allows everything, `false` nothing. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** Why something that was written under one schema can't be read under another. */
export interface Difference {
  /** Where, as people write it: `properties.price`; empty for the whole value. */
  readonly path: string;
  /** Stable name of the rule that it breaks, as in `type_changed`. */
  readonly rule: string;
  /** What the writer may write and the reader refuses. */
  readonly reason: string;
}

/** One comparison of a writer's schema with a reader's: where it stands, and what it has found. */
export interface Comparison {
  readonly path: string;
  readonly differences: Difference[];
  /** The documents that `#/...` references point into. */
  readonly writerRoot: JsonSchema;
  readonly readerRoot: JsonSchema;
  /** Pairs under comparison: a recursive schema ends here. */
  readonly visiting: readonly (readonly [JsonSchema, JsonSchema])[];
  /** Compares what stands deeper. */
  readonly compare: (comparison: Comparison, writer: JsonSchema, reader: JsonSchema) => void;
}

export function report(comparison: Comparison, rule: string, reason: string): void {
  comparison.differences.push({ path: comparison.path, rule, reason });
}

export function at(comparison: Comparison, part: string): Comparison {
  const isPlain = /^[\w$-]+$/.test(part);
  const step = part.startsWith('[') ? part : isPlain ? `.${part}` : `[${JSON.stringify(part)}]`;
  const path = comparison.path === '' && step.startsWith('.') ? part : comparison.path + step;
  return { ...comparison, path };
}

/** The same place with findings of its own: for alternatives of which one has to fit. */
export const trial = (comparison: Comparison): Comparison => ({ ...comparison, differences: [] });

export const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value));

/** Keywords that say something about a schema, and nothing about its values. */
const annotations = new Set([
  '$schema',
  '$id',
  'id',
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'format',
  'definitions',
  '$defs',
  'deprecated',
  'readOnly',
  'writeOnly',
  'contentEncoding',
  'contentMediaType',
]);

/** Whether every value is valid: no keyword constrains anything. */
export const allowsAll = (schema: JsonSchema): boolean =>
  schema === true || (schema !== false && Object.keys(schema).every((keyword) => annotations.has(keyword)));
