import { describe, expect, test } from 'vitest';
import { workspaceJsonSchema } from './json-schema.ts';

type Schema = Record<string, unknown>;

describe('the JSON Schema for editors', () => {
  // Written anew by `npx vitest run workspace/json-schema.test.ts -u`.
  test('schemas/presage.schema.json is fresh', async () => {
    const text = `${JSON.stringify(workspaceJsonSchema(), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot('../schemas/presage.schema.json');
  });

  test('every key says what it is for', () => {
    expect(undescribed(workspaceJsonSchema(), '')).toEqual([]);
  });
});

/** Paths of properties without a description. */
function undescribed(schema: Schema, path: string): string[] {
  const found: string[] = [];
  for (const [name, property] of Object.entries((schema.properties ?? {}) as Record<string, Schema>)) {
    if (typeof property.description !== 'string') found.push(`${path}.${name}`);
    found.push(...undescribed(property, `${path}.${name}`));
  }
  for (const key of ['items', 'additionalProperties'] as const) {
    if (typeof schema[key] === 'object') found.push(...undescribed(schema[key] as Schema, `${path}.*`));
  }
  const branches = [schema.oneOf, schema.anyOf].flatMap((list) => (list as Schema[] | undefined) ?? []);
  return [...found, ...branches.flatMap((branch) => undescribed(branch, path))];
}
