import { describe, expect, it } from 'vitest';
import { differencesBetween, incompatibilities } from './index.ts';
import { pairs } from './pairs.fixture.ts';

describe('the rules of compatibility', () => {
  it.each(pairs)('$what', ({ before, after, refused }) => {
    const found = differencesBetween(before, after);
    if (refused === null) expect(found).toEqual([]);
    else expect(found[0]).toMatchObject(refused);
  });

  it('find a schema compatible with itself, recursive ones too', () => {
    const tree = { type: 'object', properties: { child: { $ref: '#' }, name: { type: ['string', 'null'] } } };
    expect(differencesBetween(tree, tree)).toEqual([]);
    const retyped = { ...tree, properties: { child: { $ref: '#' }, name: { type: 'number' } } };
    expect(differencesBetween(tree, retyped)).toMatchObject([{ path: 'name', rule: 'type_changed' }]);
  });

  it('follow references into definitions', () => {
    const withPrice = (type: string) => ({
      definitions: { price: { type } },
      type: 'object',
      properties: { price: { $ref: '#/definitions/price' } },
    });
    expect(differencesBetween(withPrice('integer'), withPrice('number'))).toEqual([]);
    expect(differencesBetween(withPrice('number'), withPrice('string'))).toMatchObject([{ path: 'price' }]);
  });

  it('say what was and what is', () => {
    const [first] = differencesBetween({ type: 'number' }, { type: 'string' });
    expect(first?.reason).toBe('was number and is now string');
  });
});

describe('the levels of compatibility', () => {
  const version = (version: number, type: string | string[]) => ({
    version,
    schema: { type: 'object', properties: { a: { type } }, additionalProperties: false },
  });
  const schema = (type: string | string[]) => version(0, type).schema;

  it('BACKWARD reads the last version only, BACKWARD_TRANSITIVE all of them', () => {
    const history = [version(1, 'string'), version(2, 'integer')];
    expect(incompatibilities('BACKWARD', history, schema('number'))).toEqual([]);
    expect(incompatibilities('BACKWARD_TRANSITIVE', history, schema('number'))).toMatchObject([
      { version: 1, direction: 'backward', path: 'a' },
    ]);
  });

  it('FORWARD asks the last version to read the new schema, FULL both', () => {
    const history = [version(1, 'integer')];
    expect(incompatibilities('BACKWARD', history, schema('number'))).toEqual([]);
    expect(incompatibilities('FORWARD', history, schema('number'))).toMatchObject([
      { direction: 'forward', path: 'a' },
    ]);
    expect(incompatibilities('FULL', history, schema('number'))).toHaveLength(1);
    expect(incompatibilities('FORWARD', [version(1, 'number')], schema('integer'))).toEqual([]);
    expect(
      incompatibilities(
        'FORWARD_TRANSITIVE',
        [version(1, 'string'), version(2, 'number')],
        schema('integer'),
      ),
    ).toMatchObject([{ version: 1 }]);
  });

  it('NONE lets everything through', () => {
    expect(incompatibilities('NONE', [version(1, 'string')], schema('number'))).toEqual([]);
  });
});
