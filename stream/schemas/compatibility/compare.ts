import { isDeepStrictEqual } from 'node:util';
import { compareArrays } from './arrays.ts';
import {
  allowsAll,
  type Comparison,
  type Difference,
  isSchema,
  type JsonSchema,
  report,
  trial,
} from './difference.ts';
import { compareLimits, limitsOfValues } from './limits.ts';
import { compareObjects } from './objects.ts';
import { enumOf, isCovered, nameTypes, typesOf } from './types.ts';

type Keywords = Readonly<Record<string, unknown>>;

/**
 * What a reader's schema refuses of what a writer's schema allows, by the rules of Confluent-compatible registries
 * (docs/schemas.md). An empty list: compatible.
 */
export function differencesBetween(writer: JsonSchema, reader: JsonSchema): readonly Difference[] {
  const differences: Difference[] = [];
  const comparison = { path: '', differences, writerRoot: writer, readerRoot: reader, visiting: [], compare };
  compare(comparison, writer, reader);
  return differences;
}

/** Deeper than any schema of an event; comparing recurses. */
const deepest = 64;

function compare(comparison: Comparison, writerSchema: JsonSchema, readerSchema: JsonSchema): void {
  const writer = resolve(writerSchema, comparison.writerRoot);
  const reader = resolve(readerSchema, comparison.readerRoot);
  if (allowsAll(reader) || writer === false) return;
  const { visiting } = comparison;
  if (visiting.some(([one, other]) => one === writer && other === reader)) return;
  if (reader === false || visiting.length > deepest) {
    const reason =
      reader === false ? 'nothing is allowed here any more' : 'is nested too deeply to be compared';
    report(comparison, 'type_changed', reason);
    return;
  }
  const inside = { ...comparison, visiting: [...visiting, [writer, reader] as const] };
  if (compareUnions(inside, writer, reader)) return;
  compareValues(inside, keywordsOf(writer), keywordsOf(reader));
}

function compareValues(comparison: Comparison, writer: Keywords, reader: Keywords): void {
  if (hasOtherTypes(comparison, writer, reader)) return;
  const types = typesOf(writer);
  compareEnums(comparison, writer, reader);
  compareLimits(comparison, { ...writer, ...limitsOfValues(enumOf(writer)) }, reader, types);
  if (types.includes('object')) compareObjects(comparison, writer, reader);
  if (types.includes('array')) compareArrays(comparison, writer, reader);
  compareOpaque(comparison, writer, reader);
}

/** Whether the writer has types that the reader has not; then nothing else is worth saying. */
function hasOtherTypes(comparison: Comparison, writer: Keywords, reader: Keywords): boolean {
  const types = typesOf(writer);
  const readable = typesOf({ ...reader, enum: undefined, const: undefined });
  if (enumOf(writer) !== null && writer.type === undefined && reader.type !== undefined) {
    // Its values may well fit, but registries hold a bare enum for a type of its own.
    report(
      comparison,
      'type_changed',
      `was a list of values without a type and is now ${nameTypes(readable)}`,
    );
    return true;
  }
  const refused = types.filter((type) => !isCovered(type, readable));
  if (refused.length === 0) return false;
  const isNarrower = readable.every((type) => isCovered(type, types));
  const rule = isNarrower ? 'type_narrowed' : 'type_changed';
  report(comparison, rule, `was ${nameTypes(types)} and is now ${nameTypes(readable)}`);
  return true;
}

function compareEnums(comparison: Comparison, writer: Keywords, reader: Keywords): void {
  const now = enumOf(reader);
  if (now === null) return;
  const before = enumOf(writer);
  if (before === null) {
    report(comparison, 'enum_added', `only ${shown(now)} are allowed; other values were`);
    return;
  }
  const gone = before.filter((value) => !now.some((other) => isDeepStrictEqual(value, other)));
  if (gone.length > 0) report(comparison, 'enum_narrowed', `${shown(gone)} is no longer allowed`);
}

/** Keywords that are compared as they stand: gone is fine, new or changed can't be shown to be. */
const opaque = [
  'not',
  'contains',
  'minContains',
  'maxContains',
  'propertyNames',
  'dependencies',
  'dependentRequired',
  'dependentSchemas',
  'if',
  'then',
  'else',
  'unevaluatedProperties',
  'unevaluatedItems',
  'patternProperties',
];

function compareOpaque(comparison: Comparison, writer: Keywords, reader: Keywords): void {
  for (const keyword of opaque) {
    if (reader[keyword] === undefined || isDeepStrictEqual(reader[keyword], writer[keyword])) continue;
    const how = writer[keyword] === undefined ? 'is new' : 'has changed';
    report(comparison, 'constraint_changed', `"${keyword}" ${how}, and can refuse what was allowed`);
  }
}

/** anyOf, oneOf, allOf and lists of types on either side; false: there are none, so both are to be compared as values. */
function compareUnions(comparison: Comparison, writer: JsonSchema, reader: JsonSchema): boolean {
  const written = branchesOf(writer);
  const read = branchesOf(reader);
  if (written === null && read === null) return false;
  const areListed = [written, read].every((branches) => branches === null || branches.kind === 'types');
  if (areListed && hasOtherTypes(comparison, keywordsOf(writer), keywordsOf(reader))) return true;
  if (read?.kind === 'all of') {
    for (const branch of read.branches) compare(comparison, writer, branch);
  } else if (written !== null && written.kind !== 'all of') {
    for (const branch of written.branches) compare(comparison, branch, reader);
  } else if (read !== null) {
    // Where one alternative only is of the writer's type, what is wrong with it is the reason.
    const types = typesOf(writer);
    const similar = read.branches.filter((branch) => types.some((type) => isCovered(type, typesOf(branch))));
    const [only] = similar;
    if (similar.length === 1 && only !== undefined) compare(comparison, writer, only);
    else if (!read.branches.some((branch) => fits(comparison, writer, branch)))
      report(comparison, 'union_narrowed', 'no alternative allows all of what was allowed');
  } else if (!written?.branches.some((branch) => fits(comparison, branch, reader))) {
    report(comparison, 'type_changed', 'allows less than all its parts together did');
  }
  return true;
}

function fits(comparison: Comparison, writer: JsonSchema, reader: JsonSchema): boolean {
  const inner = trial(comparison);
  compare(inner, writer, reader);
  return inner.differences.length === 0;
}

const keywordsOf = (schema: JsonSchema): Keywords => (typeof schema === 'boolean' ? {} : schema);

interface Branches {
  readonly kind: 'one of' | 'all of' | 'types';
  /** Each with the keywords that stand beside the union. */
  readonly branches: readonly JsonSchema[];
}

function branchesOf(schema: JsonSchema): Branches | null {
  if (typeof schema === 'boolean') return null;
  for (const keyword of ['anyOf', 'oneOf', 'allOf'] as const) {
    const listed = schema[keyword];
    if (!Array.isArray(listed)) continue;
    const { [keyword]: _, ...beside } = schema;
    const branches = listed.filter(isSchema);
    if (keyword === 'allOf')
      return { kind: 'all of', branches: allowsAll(beside) ? branches : [...branches, beside] };
    const merged = branches.map((branch) =>
      typeof branch === 'boolean' ? branch : { ...beside, ...branch },
    );
    return { kind: 'one of', branches: merged };
  }
  // A list of types is a union too, so that limits are compared with those of the same type only.
  if (Array.isArray(schema.type) && schema.type.length > 1 && schema.enum === undefined) {
    return { kind: 'types', branches: schema.type.map((type) => ({ ...schema, type })) };
  }
  return null;
}

/** Follows `#/...` within the document; what points elsewhere is compared as it stands. */
function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  let found = schema;
  for (let steps = 0; steps < 32; steps++) {
    if (typeof found === 'boolean' || typeof found.$ref !== 'string' || !found.$ref.startsWith('#'))
      return found;
    let target: unknown = root;
    for (const part of found.$ref.split('/').slice(1)) {
      const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
      target = typeof target === 'object' && target !== null ? Reflect.get(target, key) : undefined;
    }
    if (!isSchema(target)) return found;
    found = target;
  }
  return found;
}

function shown(values: readonly unknown[]): string {
  const text = values
    .slice(0, 5)
    .map((value) => JSON.stringify(value))
    .join(', ');
  return values.length > 5 ? `${text} and ${values.length - 5} more` : text;
}
