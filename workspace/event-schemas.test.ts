import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyType, workspaceSource } from '../schemas/index.ts';
import { compileTypes } from './compile-types.ts';
import { eventSchemas } from './event-schemas.ts';

const sourceOf = (types: object) =>
  workspaceSource.parse({ version: 1, name: 'shop', tenants: { shop: {} }, types });
const compiled = (source: ReturnType<typeof sourceOf>) => compileTypes({ source, report: () => {} } as never);
const event = (type: string, properties: object) => ({
  v: 1,
  id: '1',
  tenant: 'shop',
  type,
  userId: 'ann',
  time: 1_700_000_000_000,
  properties,
  source: 'http',
});

const order = sourceOf({
  order: { description: 'Bought.', properties: { value: 'number', items: 'list' }, required: ['value'] },
});

describe('event schemas of a workspace', () => {
  it('are one for each declared type and one for any event', () => {
    const schemas = eventSchemas(order);
    expect(schemas.map(({ type, name }) => [type, name])).toEqual([
      ['order', 'shop.order'],
      [null, 'presage.event'],
    ]);
    expect(schemas[0]?.schema).toMatchObject({
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: 'shop.order',
      description: 'Bought.',
      properties: {
        type: { const: 'order' },
        properties: {
          properties: { value: { type: 'number' }, items: { type: ['array', 'null'] } },
          required: ['value'],
          additionalProperties: false,
        },
      },
    });
  });

  it('are open where that is asked for', () => {
    const [schema] = eventSchemas(order, 'open');
    expect(schema?.schema).not.toHaveProperty('properties.properties.additionalProperties');
  });

  it('hold exactly of the events that the gateway accepts', () => {
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.nat()),
      fc.record({ a: fc.nat() }),
    );
    const names = fc.constantFrom('a', 'b', 'c');
    const types = fc
      .record({
        properties: fc.dictionary(names, fc.constantFrom(...propertyType.options)),
        required: fc.subarray(['a', 'b', 'c']),
      })
      .map(({ properties, required }) => ({
        properties: { ...properties },
        required: required.filter((name) => Object.hasOwn(properties, name)),
      }));
    fc.assert(
      fc.property(types, fc.dictionary(names, value), (type, properties) => {
        const source = sourceOf({ seen: type });
        const seen = compiled(source).get('seen');
        const valid = (content: 'open' | 'closed', nth: number) =>
          new Ajv({ allowUnionTypes: true }).validate(
            eventSchemas(source, content)[nth]?.schema as object,
            event('seen', { ...properties }),
          );
        const fits = seen?.check(properties) === null;
        expect(valid('open', 0)).toBe(fits);
        expect(valid('closed', 0)).toBe(fits && seen?.declaresAll(properties) === true);
        expect(valid('closed', 1)).toBe(true);
      }),
      // Each run compiles three schemas.
      { numRuns: 40 },
    );
  });
});
