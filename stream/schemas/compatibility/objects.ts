import { allowsAll, at, type Comparison, isSchema, type JsonSchema, report, trial } from './difference.ts';
import { nameTypes, typesOf } from './types.ts';

type Keywords = Readonly<Record<string, unknown>>;

/** Properties, required ones and the content model of objects. */
export function compareObjects(comparison: Comparison, writer: Keywords, reader: Keywords): void {
  const written = propertiesOf(writer);
  const read = propertiesOf(reader);
  const required = requiredOf(reader);
  const requiredBefore = requiredOf(writer);
  for (const name of new Set([...written.keys(), ...read.keys()])) {
    const here = at(comparison, name);
    const before = written.get(name);
    const now = read.get(name);
    if (now === undefined) compareRemoved(here, before as JsonSchema, contentModel(reader, name));
    else if (before === undefined) compareAdded(here, now, contentModel(writer, name));
    else here.compare(here, before, now);
  }
  for (const name of required) {
    const schema = read.get(name);
    const hasDefault = typeof schema === 'object' && Object.hasOwn(schema, 'default');
    if (requiredBefore.has(name) || hasDefault) continue;
    const rule = written.has(name) ? 'required_added' : 'required_property_added';
    const reason = written.has(name)
      ? 'is required, and was optional'
      : 'is new and required, without a default';
    report(at(comparison, name), rule, `${reason}: it can be missing in what was written`);
  }
  compareAdditional(at(comparison, '[others]'), writer, reader);
}

/** What is said of a property that has no schema of its own: everything, nothing or a schema. */
type ContentModel =
  | { readonly kind: 'open' | 'closed' }
  | { readonly kind: 'partial'; readonly schema: JsonSchema };

function contentModel(schema: Keywords, name: string): ContentModel {
  const patterns = schema.patternProperties;
  if (typeof patterns === 'object' && patterns !== null) {
    for (const [pattern, found] of Object.entries(patterns)) {
      if (isSchema(found) && matches(pattern, name)) return { kind: 'partial', schema: found };
    }
  }
  const additional = schema.additionalProperties;
  if (additional === false) return { kind: 'closed' };
  return isSchema(additional) && !allowsAll(additional)
    ? { kind: 'partial', schema: additional }
    : { kind: 'open' };
}

function compareRemoved(here: Comparison, before: JsonSchema, model: ContentModel): void {
  switch (model.kind) {
    case 'open':
      return;
    case 'closed':
      if (before === false) return;
      report(
        here,
        'property_removed_from_closed',
        'is no longer declared, and undeclared properties are refused',
      );
      return;
    case 'partial': {
      const inner = trial(here);
      inner.compare(inner, before, model.schema);
      if (inner.differences.length === 0) return;
      const why = inner.differences[0]?.reason;
      report(
        here,
        'property_removed_not_covered',
        `is no longer declared, and others have to fit less: ${why}`,
      );
    }
  }
}

function compareAdded(here: Comparison, now: JsonSchema, model: ContentModel): void {
  switch (model.kind) {
    case 'closed':
      return;
    case 'open':
      if (allowsAll(now)) return;
      report(
        here,
        'property_added_to_open',
        `is declared as ${nameTypes(typesOf(now))}: undeclared properties were allowed, so anything may have been written under this name`,
      );
      return;
    case 'partial': {
      const inner = trial(here);
      inner.compare(inner, model.schema, now);
      if (inner.differences.length === 0) return;
      const why = inner.differences[0]?.reason;
      report(
        here,
        'property_added_not_covered',
        `is declared more narrowly than undeclared ones were: ${why}`,
      );
    }
  }
}

function compareAdditional(here: Comparison, writer: Keywords, reader: Keywords): void {
  const before = isSchema(writer.additionalProperties) ? writer.additionalProperties : true;
  const now = isSchema(reader.additionalProperties) ? reader.additionalProperties : true;
  if (before === false || allowsAll(now)) return;
  if (now === false) {
    report(here, 'content_model_closed', 'undeclared properties are refused, and were allowed');
  } else if (allowsAll(before)) {
    report(here, 'content_model_narrowed', `undeclared properties have to be ${nameTypes(typesOf(now))}`);
  } else {
    here.compare(here, before, now);
  }
}

function propertiesOf(schema: Keywords): ReadonlyMap<string, JsonSchema> {
  const { properties } = schema;
  const entries = typeof properties === 'object' && properties !== null ? Object.entries(properties) : [];
  return new Map(entries.filter((entry): entry is [string, JsonSchema] => isSchema(entry[1])));
}

const requiredOf = (schema: Keywords): ReadonlySet<string> =>
  new Set(Array.isArray(schema.required) ? schema.required.map(String) : []);

/** A pattern that no engine of ours can read matches nothing here; the registry has the last word on it. */
function matches(pattern: string, name: string): boolean {
  try {
    return new RegExp(pattern, 'u').test(name);
  } catch {
    return false;
  }
}
