import type { JsonSchema } from './difference.ts';

/** A change of a schema, and whether the new schema reads what the old one allowed (BACKWARD). */
export interface Pair {
  readonly what: string;
  readonly before: JsonSchema;
  readonly after: JsonSchema;
  /** null: compatible; else the rule that refuses it and the field it names. */
  readonly refused: { readonly rule: string; readonly path: string } | null;
  /** Where a registry decides otherwise, and why ours stands. */
  readonly registrySays?: { readonly isCompatible: boolean; readonly because: string };
}

const object = (properties: Record<string, unknown>, rest: Record<string, unknown> = {}): JsonSchema => ({
  type: 'object',
  properties,
  ...rest,
});
const closed = { additionalProperties: false };
const of = (schema: unknown): JsonSchema => object({ value: schema }, closed);
const number = { type: 'number' };
const string = { type: 'string' };

const change = (
  what: string,
  before: JsonSchema,
  after: JsonSchema,
  rule?: string,
  path = 'value',
): Pair => ({
  what,
  before,
  after,
  refused: rule === undefined ? null : { rule, path },
});

export const pairs: readonly Pair[] = [
  change('nothing', object({ a: number }), object({ a: number })),
  change('title and description', of({ ...number, title: 'a' }), of({ ...number, description: 'b' })),
  // Properties and the content model
  change(
    'an optional property added to a closed object',
    object({ a: number }, closed),
    object({ a: number, b: string }, closed),
  ),
  change(
    'an optional property added to an open object',
    object({ a: number }),
    object({ a: number, b: string }),
    'property_added_to_open',
    'b',
  ),
  {
    ...change(
      'a property that may be anything added to an open object',
      object({ a: number }),
      object({ a: number, b: {} }),
    ),
    registrySays: {
      isCompatible: false,
      because: 'Confluent counts an empty schema as compatible; Apicurio does not',
    },
  },
  change(
    'a required property added to a closed object',
    object({ a: number }, closed),
    object({ a: number, b: string }, { ...closed, required: ['b'] }),
    'required_property_added',
    'b',
  ),
  {
    ...change(
      'a required property with a default added to a closed object',
      object({ a: number }, closed),
      object({ a: number, b: { ...string, default: '' } }, { ...closed, required: ['b'] }),
    ),
    registrySays: { isCompatible: false, because: 'Confluent counts a default as enough; Apicurio does not' },
  },
  change(
    'a property removed from a closed object',
    object({ a: number, b: string }, closed),
    object({ a: number }, closed),
    'property_removed_from_closed',
    'b',
  ),
  change('a property removed from an open object', object({ a: number, b: string }), object({ a: number })),
  change(
    'an optional property made required',
    object({ a: number }),
    object({ a: number }, { required: ['a'] }),
    'required_added',
    'a',
  ),
  change(
    'a required property made optional',
    object({ a: number }, { required: ['a'] }),
    object({ a: number }),
  ),
  change(
    'the content model closed',
    object({ a: number }),
    object({ a: number }, closed),
    'content_model_closed',
    '[others]',
  ),
  change('the content model opened', object({ a: number }, closed), object({ a: number })),
  change(
    'a property added that undeclared ones were like',
    object({ a: number }, { additionalProperties: string }),
    object({ a: number, b: string }, { additionalProperties: string }),
  ),
  change(
    'a property added that undeclared ones were unlike',
    object({ a: number }, { additionalProperties: string }),
    object({ a: number, b: number }, { additionalProperties: string }),
    'property_added_not_covered',
    'b',
  ),
  change(
    'a property removed that undeclared ones are like',
    object({ a: number, b: string }, { additionalProperties: string }),
    object({ a: number }, { additionalProperties: string }),
  ),
  change(
    'a property removed that undeclared ones are unlike',
    object({ a: number, b: number }, { additionalProperties: string }),
    object({ a: number }, { additionalProperties: string }),
    'property_removed_not_covered',
    'b',
  ),
  // Types
  change('number to string', of(number), of(string), 'type_changed'),
  change('integer to number', of({ type: 'integer' }), of(number)),
  change('number to integer', of(number), of({ type: 'integer' }), 'type_narrowed'),
  {
    ...change('null allowed too', of(number), of({ type: ['number', 'null'] })),
    registrySays: {
      isCompatible: false,
      because: 'Confluent counts a union that has the old type as extended; Apicurio as another type',
    },
  },
  change('null no longer allowed', of({ type: ['number', 'null'] }), of(number), 'type_narrowed'),
  change(
    'a type of three dropped',
    of({ type: ['number', 'string', 'null'] }),
    of({ type: ['number', 'null'] }),
    'type_narrowed',
  ),
  change('any type to one', of({}), of(number), 'type_narrowed'),
  change('one type to any', of(number), of({})),
  // Values
  change('an enum grown', of({ enum: ['a', 'b'] }), of({ enum: ['a', 'b', 'c'] })),
  change('an enum shrunk', of({ enum: ['a', 'b'] }), of({ enum: ['a'] }), 'enum_narrowed'),
  change('an enum without a type given one', of({ enum: ['a'] }), of(string), 'type_changed'),
  change('an enum of text dropped', of({ ...string, enum: ['a'] }), of(string)),
  {
    ...change('a constant changed', of({ const: 'a' }), of({ const: 'b' }), 'enum_narrowed'),
    registrySays: {
      isCompatible: true,
      because: 'registries do not compare constants; what was written is refused all the same',
    },
  },
  change('a maximum raised', of({ ...number, maximum: 5 }), of({ ...number, maximum: 6 })),
  change(
    'a maximum lowered',
    of({ ...number, maximum: 5 }),
    of({ ...number, maximum: 4 }),
    'maximum_decreased',
  ),
  change('a minimum added', of(number), of({ ...number, minimum: 0 }), 'minimum_added'),
  change('a minimum removed', of({ ...number, minimum: 0 }), of(number)),
  change('text may be longer', of({ ...string, maxLength: 5 }), of({ ...string, maxLength: 9 })),
  change(
    'text has to be shorter',
    of({ ...string, maxLength: 5 }),
    of({ ...string, maxLength: 3 }),
    'max_length_decreased',
  ),
  change(
    'text has to be longer',
    of({ ...string, minLength: 1 }),
    of({ ...string, minLength: 2 }),
    'min_length_increased',
  ),
  change('a pattern added', of(string), of({ ...string, pattern: '^a' }), 'pattern_added'),
  change('a pattern removed', of({ ...string, pattern: '^a' }), of(string)),
  // Lists
  change(
    'items retyped',
    of({ type: 'array', items: number }),
    of({ type: 'array', items: string }),
    'type_changed',
    'value[]',
  ),
  change('more items allowed', of({ type: 'array', maxItems: 3 }), of({ type: 'array', maxItems: 4 })),
  change(
    'items have to differ',
    of({ type: 'array' }),
    of({ type: 'array', uniqueItems: true }),
    'unique_items_added',
  ),
  // Unions
  change(
    'an alternative added',
    of({ anyOf: [number, string] }),
    of({ anyOf: [number, string, { type: 'boolean' }] }),
  ),
  change(
    'an alternative removed',
    of({ anyOf: [number, string, { type: 'boolean' }] }),
    of({ anyOf: [number, string] }),
    'union_narrowed',
  ),
  change(
    'a nested property retyped',
    of(object({ inner: number }, closed)),
    of(object({ inner: string }, closed)),
    'type_changed',
    'value.inner',
  ),
];
