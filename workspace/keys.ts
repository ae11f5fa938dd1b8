import { z } from 'zod';
import { workspaceSource } from '../schemas/index.ts';
import type { Path } from './problems.ts';

/** The keys that `presage.yaml` may have at a path; empty where any key may stand. */
export function keysAt(path: Path, root: unknown): readonly string[] {
  let schema: unknown = workspaceSource;
  let value = root;
  for (const part of path) {
    schema = within(unwrapped(schema, value), String(part));
    value = value !== null && typeof value === 'object' ? Reflect.get(value, part) : undefined;
  }
  const object = unwrapped(schema, value);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function within(schema: unknown, key: string): unknown {
  if (schema instanceof z.ZodObject) return schema.shape[key];
  if (schema instanceof z.ZodRecord) return schema.valueType;
  if (schema instanceof z.ZodArray) return schema.element;
  return undefined;
}

/** Through optional, default and unions to what describes this value. */
function unwrapped(schema: unknown, value: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return unwrapped(schema.unwrap(), value);
  }
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const name = schema.def.discriminator;
  const chosen = value !== null && typeof value === 'object' ? Reflect.get(value, name) : undefined;
  return schema.options.find((option) => {
    const literal = option instanceof z.ZodObject ? option.shape[name] : undefined;
    return literal instanceof z.ZodLiteral && literal.values.has(chosen);
  });
}
