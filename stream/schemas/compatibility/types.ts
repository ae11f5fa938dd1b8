import type { JsonSchema } from './difference.ts';

export const allTypes = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const;

/** The JSON types of a schema's values. What is not stated follows from its enum, else is every type. */
export function typesOf(schema: JsonSchema): readonly string[] {
  if (typeof schema === 'boolean') return schema ? allTypes : [];
  const stated = schema.type;
  const declared =
    typeof stated === 'string'
      ? [stated]
      : Array.isArray(stated)
        ? stated.filter((one): one is string => typeof one === 'string')
        : allTypes;
  const values = enumOf(schema);
  if (values === null) return declared;
  const found = new Set(values.map(typeOfValue));
  return [...found].filter((type) => isCovered(type, declared));
}

/** An integer is a number; nothing else is two things. */
export const isCovered = (type: string, types: readonly string[]): boolean =>
  types.includes(type) || (type === 'integer' && types.includes('number'));

/** The values that `enum` and `const` leave; null when neither is there. */
export function enumOf(schema: JsonSchema): readonly unknown[] | null {
  if (typeof schema === 'boolean') return null;
  if (schema.const !== undefined) return [schema.const];
  return Array.isArray(schema.enum) ? schema.enum : null;
}

function typeOfValue(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

/** `number`, `number or null`, `any type`. */
export function nameTypes(types: readonly string[]): string {
  if (types.length === 0) return 'nothing';
  return types.length >= allTypes.length - 1 ? 'any type' : types.join(' or ');
}
