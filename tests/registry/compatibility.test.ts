import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differencesBetween, type JsonSchema } from '../../stream/schemas/compatibility/index.ts';
import { pairs } from '../../stream/schemas/compatibility/pairs.fixture.ts';
import { registryIsMissing, startTestRegistry, type TestRegistry } from '../support/registry.ts';

const missing = registryIsMissing();
if (missing !== null) console.warn(`NOT TESTED against a real schema registry: ${missing}.`);

/** Our rules and a real registry's, on the same changes. */
describe.skipIf(missing !== null)('the rules of compatibility, beside a real registry', () => {
  let registry: TestRegistry;
  beforeAll(async () => {
    registry = await startTestRegistry();
  }, 400_000);
  afterAll(() => registry?.stop());

  let subjects = 0;
  /** What the registry says to `after` when `before` is its only version and the level is BACKWARD. */
  async function asksRegistry(before: JsonSchema, after: JsonSchema): Promise<boolean> {
    const subject = `change-${subjects++}`;
    await call('POST', `/subjects/${subject}/versions`, body(before));
    await call('PUT', `/config/${subject}`, { compatibility: 'BACKWARD' });
    const answer = await call('POST', `/compatibility/subjects/${subject}/versions/latest`, body(after));
    return (answer as { is_compatible: boolean }).is_compatible;
  }
  const body = (schema: JsonSchema) => ({ schemaType: 'JSON', schema: JSON.stringify(schema) });
  async function call(method: string, path: string, content: object): Promise<unknown> {
    const response = await fetch(registry.url + path, {
      method,
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify(content),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  it('agree on every pair of the table but those with a reason', async () => {
    const surprises: string[] = [];
    for (const { what, before, after, refused, registrySays } of pairs) {
      const expected = registrySays?.isCompatible ?? refused === null;
      const said = await asksRegistry(before, after);
      if (said !== expected) surprises.push(`${what}: registry ${said}, expected ${expected}`);
    }
    expect(surprises).toEqual([]);
  });

  it('agree on random changes of event schemas', async () => {
    const seen = { compatible: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(change, async ({ before, after }) => {
        const ours = differencesBetween(before, after).length === 0;
        seen[ours ? 'compatible' : 'refused']++;
        expect(await asksRegistry(before, after), JSON.stringify({ before, after })).toBe(ours);
      }),
      { numRuns: 120, seed: 20_240, endOnFailure: true },
    );
    // Both verdicts were at stake.
    expect(Math.min(seen.compatible, seen.refused)).toBeGreaterThan(15);
  });
});

const leaf = fc.oneof(
  fc.constantFrom('string', 'number', 'integer', 'boolean').map((type) => ({ type })),
  fc.nat(3).map((maximum) => ({ type: 'number', maximum })),
  fc.nat(3).map((minLength) => ({ type: 'string', minLength })),
  fc.subarray(['a', 'b', 'c'], { minLength: 1 }).map((values) => ({ enum: values })),
  fc.constantFrom('string', 'number').map((type) => ({ type: 'array', items: { type } })),
);
const eventSchema = fc
  .record({
    properties: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), leaf, { minKeys: 1, maxKeys: 4 }),
    required: fc.subarray(['a', 'b', 'c', 'd']),
    isClosed: fc.boolean(),
  })
  .map(({ properties, required, isClosed }) => objectOf({ ...properties }, required, isClosed));

function objectOf(properties: Record<string, unknown>, required: string[], isClosed: boolean) {
  const known = required.filter((name) => Object.hasOwn(properties, name));
  return {
    type: 'object',
    properties,
    ...(known.length > 0 ? { required: known } : {}),
    ...(isClosed ? { additionalProperties: false } : {}),
  };
}

/** Two schemas of which one is a small edit of the other: most real changes are. */
const change = fc
  .record({
    base: eventSchema,
    other: eventSchema,
    edit: fc.constantFrom('one', 'required', 'model', 'drop', 'all'),
  })
  .map(({ base, other, edit }) => {
    const properties = base.properties as Record<string, unknown>;
    const required = (base.required ?? []) as string[];
    const isClosed = 'additionalProperties' in base;
    const [name = 'a'] = Object.keys(other.properties as object);
    switch (edit) {
      case 'one':
        return {
          before: base,
          after: objectOf(
            { ...properties, [name]: (other.properties as Record<string, unknown>)[name] },
            required,
            isClosed,
          ),
        };
      case 'required':
        return { before: base, after: objectOf(properties, (other.required ?? []) as string[], isClosed) };
      case 'model':
        return { before: base, after: objectOf(properties, required, !isClosed) };
      case 'drop':
        return {
          before: base,
          after: objectOf(Object.fromEntries(Object.entries(properties).slice(1)), required, isClosed),
        };
      default:
        return { before: base, after: other };
    }
  });
