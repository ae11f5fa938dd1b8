import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FeatureVector } from '../schemas/index.ts';
import type { Expression, Scope } from './compiled.ts';
import { compileExpression } from './expression.ts';
import type { CelType, ExpressionNames } from './expression-names.ts';

const names: ExpressionNames = {
  features: new Map<string, CelType>([
    ['views', 'double'],
    ['cart_value', 'double'],
    ['country', 'string'],
    ['last_seen', 'list<string>'],
    ['views_by_category', 'map<string, double>'],
  ]),
  event: {
    properties: new Map<string, CelType>([
      ['price', 'double'],
      ['category', 'string'],
      ['is_new', 'bool'],
      ['items', 'list'],
      ['cart', 'map'],
    ]),
    isOpen: true,
  },
  action: new Map<string, CelType>([
    ['discount', 'double'],
    ['item', 'string'],
  ]),
  context: true,
};
const closed: ExpressionNames = { ...names, event: { ...names.event!, isOpen: false } };

const features: FeatureVector = {
  views: 4,
  cart_value: 60.5,
  country: 'DE',
  last_seen: ['shoes', 'hats'],
  views_by_category: { shoes: 3, 'rain coats': 1 },
};
const scope: Scope = {
  features,
  event: {
    price: 10,
    category: 'shoes',
    is_new: true,
    items: [{ sku: 'a', price: 5 }, { sku: 'b' }],
    cart: { total: 70, note: null },
    free: 3,
    text: 'hello',
    nothing: null,
    'page url': '/home',
  },
  action: { discount: 15 },
  context: { page: 'home', depth: 2 },
};

function condition(text: string, with_: ExpressionNames = names): Expression<boolean> {
  const result = compileExpression(text, 'bool', with_);
  if (!result.ok) throw new Error(`${text}: ${JSON.stringify(result.problems)}`);
  return result.expression;
}

function amount(text: string): Expression<number> {
  const result = compileExpression(text, 'number', names);
  if (!result.ok) throw new Error(`${text}: ${JSON.stringify(result.problems)}`);
  return result.expression;
}

function problemsOf(text: string, with_: ExpressionNames = names) {
  const result = compileExpression(text, 'bool', with_);
  return result.ok ? [] : result.problems;
}

describe('numbers are double, whatever way they are written', () => {
  test.each([
    ['views * 2', 8],
    ['views / 8', 0.5],
    ['7 / 2', 3.5],
    ['7 % 4', 3],
    ['views % 3', 1],
    ['-views', -4],
    ['-(2 - 5)', 3],
    ['2 - (3 - 4)', 3],
    ['2 * (3 + 4) - 1', 13],
    ['1e3 + 0x10', 1016],
    ['5u + 1', 6],
    ['0.1 + 0.2', 0.1 + 0.2],
    ['0.0000000001', 1e-10],
    ['size(last_seen) * 10', 20],
    ['last_seen.size() + 1', 3],
    ['int(cart_value) + 0.5', 60.5],
    ['double("2.5") * 2', 5],
    ['event.price + event.free', 13],
    ['context.depth * views', 8],
    ['action.discount / 100 * cart_value', 9.075],
    ['views > 3 ? 1 : cart_value', 1],
    ['views > 9 ? 1 : 2 + views', 6],
    ['event.cart.total - 20', 50],
    ['views_by_category["shoes"] + 1', 4],
    ['views_by_category.shoes', 3],
    ['views_by_category[event.category]', 3],
    ['event.items[0].price + 1', 6],
    ['country.indexOf("E") + 1', 2],
  ])('%s = %d', (text, value) => {
    expect(amount(text).evaluate(scope)).toEqual({ kind: 'value', value });
  });

  test.each(['1 / 0', '0 / 0', 'views / (views - 4)'])('%s is an error, not a value', (text) => {
    expect(amount(text).evaluate(scope)).toMatchObject({ kind: 'error' });
  });
});

describe('conditions', () => {
  test.each([
    ['cart_value > 50', true],
    ['50 < cart_value && cart_value <= 60.5', true],
    ['views == 4', true],
    ['views != 4', false],
    ['views in [1, 2, 4]', true],
    ['size(last_seen) == 2', true],
    ['country == "DE" || country == "FR"', true],
    ['country in ["FR", "IT"]', false],
    ['"hats" in last_seen', true],
    ['"shoes" in views_by_category', true],
    ['"boots" in views_by_category', false],
    ['last_seen[0] == "shoes"', true],
    ['last_seen[int(size(last_seen) - 1)] == "hats"', true],
    ['event.category.startsWith("sh")', true],
    ['event.text.matches("^h.*o$")', true],
    ['country.substring(1) == "E"', true],
    ['event.is_new', true],
    ['!event.is_new', false],
    ['event["page url"] == "/home"', true],
    ['event.free > 2', true],
    ['event.free == 3', true],
    ['event.free in [3, 4]', true],
    ['event.items.exists(i, i.price > 4)', true],
    ['event.items.exists(i, i.sku == "b")', true],
    ['event.items.all(i, has(i.sku))', true],
    ['event.items.all(i, has(i.price))', false],
    ['event.items.filter(i, has(i.price)).size() == 1', true],
    ['event.items.map(i, i.sku) == ["a", "b"]', true],
    ['last_seen.exists(views, views == "hats")', true],
    ['type(event.free) == double', true],
    ['(event).price == 10', true],
    ['context.page == "home"', true],
    ['timestamp("2024-05-01T10:00:00Z").getHours() == 10', true],
    ['true', true],
  ])('%s is %s', (text, value) => {
    expect(condition(text).evaluate(scope)).toEqual({ kind: 'value', value });
  });
});

describe('missing values', () => {
  const nobody: Scope = {
    features: { views: 1, cart_value: null, country: null, last_seen: null, views_by_category: {} },
    event: { items: [{}], cart: {}, nothing: null, free: [1] },
    action: { discount: 1 },
    context: {},
  };
  test.each([
    ['cart_value > 50', 'cart_value'],
    ['50 < cart_value', 'cart_value'],
    ['event.price > 1', 'event.price'],
    ['event.nothing == "x"', 'event.nothing'],
    ['event.cart.total > 1', 'event.cart.total'],
    ['event["page url"] == "x"', 'event["page url"]'],
    ['context.page == "x"', 'context.page'],
    ['"x" in last_seen', 'last_seen'],
    ['views_by_category["rain coats"] > 1', 'views_by_category["rain coats"]'],
    ['views_by_category.shoes > 1', 'views_by_category["shoes"]'],
    ['views_by_category["a" + "b"] > 1', 'views_by_category["ab"]'],
    ['views > 0 && cart_value > 50', 'cart_value'],
    ['cart_value > 50 && country == "DE"', 'cart_value'],
    ['views > 5 || cart_value > 50', 'cart_value'],
    ['!(cart_value > 50)', 'cart_value'],
    ['(views > 0 ? cart_value : 1) > 0', 'cart_value'],
    ['event.items.exists(i, i.price > 1)', 'i.price'],
    ['event.items[3].price > 1', 'event.items[3]'],
    ['event.constructor == "x"', 'event.constructor'],
    ['event.free.length > 0', 'event.free.length'],
  ])('%s is missing %s', (text, name) => {
    expect(condition(text).evaluate(nobody)).toEqual({ kind: 'missing', name });
  });

  test.each([
    ['views > 5 && cart_value > 50', false],
    ['cart_value > 50 && views > 5', false],
    ['views > 0 || cart_value > 50', true],
    ['cart_value > 50 || views > 0', true],
    ['(views > 5 ? cart_value : 1) > 0', true],
    ['has(cart_value)', false],
    ['has(views)', true],
    ['has(event.price)', false],
    ['has(event.nothing)', false],
    ['has(event.cart)', true],
    ['has(event.cart.total)', false],
    ['has(event.absent.deeper)', false],
    ['has(context.page)', false],
    ['has(views_by_category.shoes)', false],
    ['has(event.price) && event.price > 1', false],
    ['!has(cart_value) || cart_value > 50', true],
  ])('%s is %s where the missing value is not needed', (text, value) => {
    expect(condition(text).evaluate(nobody)).toEqual({ kind: 'value', value });
  });

  test('on the request path there is no event at all', () => {
    expect(condition('event.price > 1').evaluate({ ...scope, event: null })).toEqual({
      kind: 'missing',
      name: 'event.price',
    });
  });
});

describe('values of another type than the expression needs', () => {
  test.each([
    ['event.free > 1', { free: 'three' }],
    ['event.free + 1 == 2', { free: [] }],
    ['event.is_new', { is_new: 'yes' }],
    ['event.free', { free: 'yes' }],
    ['event.free.startsWith("a")', { free: 3 }],
    ['event.price > 1', { price: '10' }],
    ['event.items.exists(i, i > 1)', { items: ['a'] }],
  ])('%s with %j is an error that names the expression', (text, event) => {
    const result = condition(text).evaluate({ ...scope, event });
    expect(result).toMatchObject({ kind: 'error', message: expect.stringContaining(text) });
  });

  test('evaluate never throws', () => {
    const texts = [
      'event.free > 1 && event.cart.total in [1, 2] || !event.is_new',
      'event.items.exists(i, i.price > event.free) ? views > 1 : event.category.matches("a+")',
      'views_by_category[event.category] + event.price > size(event.items)',
    ];
    const expressions = texts.map((text) => condition(text));
    fc.assert(
      fc.property(fc.record({ event: anything, features: anything, context: anything }), (values) => {
        for (const expression of expressions) {
          const hostile = { ...values, action: null } as unknown as Scope;
          expect(['value', 'missing', 'error']).toContain(expression.evaluate(hostile).kind);
          expression.saw(hostile);
        }
      }),
    );
  });
});

const anything = fc.oneof(
  fc.constant(null),
  fc.dictionary(
    fc.constantFrom('free', 'cart', 'is_new', 'items', 'price', 'category', 'views', 'views_by_category'),
    fc.oneof(fc.jsonValue(), fc.array(fc.record({ price: fc.jsonValue() })), fc.double(), fc.boolean()),
  ),
);

describe('what an expression tells about itself', () => {
  test('reads names as they are declared, once each', () => {
    const { reads } = condition(
      'views > 1 && views < 9 && event.cart.total > 1 && views_by_category["shoes"] > 1 && action.discount > 1 && has(context.page)',
    );
    expect(reads).toEqual(['views', 'event.cart', 'views_by_category', 'action.discount', 'context.page']);
  });

  test('knows whether it depends on the candidate', () => {
    expect(condition('views > 1').readsAction).toBe(false);
    expect(condition('views > action.discount').readsAction).toBe(true);
  });

  test('shows the values it saw, missing ones as null', () => {
    const expression = condition(
      'views > 1 && event.cart.total > 1 && views_by_category["shoes"] > 1 && "a" in last_seen && event.absent == "x" && size(event.items) > 0',
    );
    expect(expression.saw(scope)).toEqual({
      views: 4,
      'event.cart.total': 70,
      'views_by_category["shoes"]': 3,
      last_seen: ['shoes', 'hats'],
      'event.absent': null,
      'event.items': '[{"sku":"a","price":5},{"sku":"b"}]',
    });
  });

  test('keeps nothing of the scope', () => {
    const expression = condition('event.free > 2 || views > 1');
    expression.evaluate(scope);
    expect(expression.evaluate({ features: {}, event: null, action: null, context: null })).toMatchObject({
      kind: 'missing',
    });
  });
});

describe('mistakes found at load', () => {
  test.each([
    ['cart_valu > 50', 'there is no feature "cart_valu"', 0, 'cart_value'],
    ['views > 1 && price > 50', 'there is no feature "price"', 13, 'event.price'],
    ['actoin.discount > 1', 'there is no feature "actoin"', 0, 'action'],
    ['action.discuont > 1', 'this action has no attribute "discuont"', 0, 'action.discount'],
    ['event == 1', 'expected event.<property>', 0, undefined],
    ['event[event.category] == 1', 'expected event.<property>', 0, undefined],
    ['siez(last_seen) > 1', 'there is no function siez()', 0, 'size'],
    [
      'has(size(last_seen))',
      'expected has() of one name, such as has(event.price) or has(cart_value)',
      0,
      undefined,
    ],
    [
      'event.text.matches(country)',
      'expected the pattern of matches() to be written out as text',
      0,
      undefined,
    ],
    ['event.text.matches("(")', '"(" is not a regular expression', 19, undefined],
    ['views > ', 'this is not a CEL expression (Unexpected token: EOF)', 8, undefined],
    ['views >> 1', 'this is not a CEL expression (Unexpected token: GT)', 7, undefined],
    [
      'views == "4"',
      'the types in "views == \\"4\\"" don\'t fit (no such overload: double == string)',
      0,
      undefined,
    ],
    [
      'views > 1 && country > 1',
      'the types in "country > 1" don\'t fit (no such overload: string > double)',
      13,
      undefined,
    ],
    ['views', 'expected an expression that gives true or false but this gives double', 0, undefined],
    [
      'views > 1 && views + 1',
      'expected an expression that gives true or false but this gives double',
      13,
      undefined,
    ],
    ['a.exists(b, b.exists(c, c.exists(d, true)))', 'there is no feature "a"', 0, undefined],
  ])('%s: %s', (text, message, offset, suggestion) => {
    expect(problemsOf(text)[0]).toEqual({ message, offset, suggestion });
  });

  test('all of them at once', () => {
    expect(problemsOf('viws > 1 && cart_valu > 1 && country > 1').map(({ offset }) => offset)).toEqual([
      0, 12, 29,
    ]);
  });

  test('in a closed workspace a property has to be declared', () => {
    expect(problemsOf('event.pirce > 1', closed)).toEqual([
      {
        message:
          'no event type that is read here declares the property "pirce": add it to the type\'s properties, or read another',
        offset: 0,
        suggestion: 'event.price',
      },
    ]);
    expect(problemsOf('event.price > 1', closed)).toEqual([]);
  });

  test('what is not there cannot be read', () => {
    const bare: ExpressionNames = { features: null, event: null, action: null, context: false };
    expect(problemsOf('views > 1', bare)[0]?.message).toBe('expected event.<property> but found "views"');
    expect(problemsOf('event.price > 1', bare)[0]?.message).toContain('there is no event here');
    expect(problemsOf('action.discount > 1', bare)[0]?.message).toBe('there is no action here');
    expect(problemsOf('context.page == "x"', bare)[0]?.message).toContain('context is not known here');
  });

  test.each([
    ['deep', `${'('.repeat(40)}true${')'.repeat(40)}`],
    ['long', Array.from({ length: 300 }, () => 'true').join(' || ')],
    ['wide', `1 in [${Array.from({ length: 300 }, () => '1').join(',')}]`],
  ])('too %s is refused', (_, text) => {
    expect(problemsOf(text)[0]?.message).toContain('this expression is too long');
  });

  test('loops nest two deep at most', () => {
    const loop = (inner: string) => `event.items.exists(x, event.items.exists(y, ${inner}))`;
    expect(problemsOf(loop('x == y'))).toEqual([]);
    expect(problemsOf(loop('event.items.exists(z, true)'))[0]?.message).toBe(
      'expected loops at most two deep',
    );
  });
});

describe('in any combination', () => {
  test("arithmetic comes out as JavaScript's own", () => {
    const number: fc.Memo<string> = fc.memo((depth) =>
      depth <= 1
        ? fc.constantFrom('views', 'cart_value', '2', '0.5', '7')
        : fc
            .tuple(number(depth - 1), fc.constantFrom('+', '-', '*', '/'), number(depth - 1))
            .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
    );
    fc.assert(
      fc.property(number(4), (text) => {
        const expected = new Function('views', 'cart_value', `return ${text}`)(4, 60.5) as number;
        const result = amount(text).evaluate(scope);
        if (Number.isFinite(expected)) expect(result).toEqual({ kind: 'value', value: expected });
        else expect(result.kind).toBe('error');
      }),
    );
  });

  test("logic over missing values is Kleene's: missing only where the missing value could matter", () => {
    type Formula = { readonly text: string; readonly value: boolean | null };
    const leaves: readonly Formula[] = [
      { text: 'views > 1', value: true },
      { text: 'views > 9', value: false },
      { text: 'event.absent > 1', value: null },
      { text: 'views_by_category["absent"] > 1', value: null },
      { text: 'views_by_category[country] > 1', value: null },
    ];
    const formula: fc.Memo<Formula> = fc.memo((depth) =>
      depth <= 1
        ? fc.constantFrom(...leaves)
        : fc.oneof(
            formula(depth - 1).map(({ text, value }) => ({
              text: `!(${text})`,
              value: value === null ? null : !value,
            })),
            fc
              .tuple(formula(depth - 1), fc.constantFrom('&&', '||'), formula(depth - 1))
              .map(([a, operator, b]) => {
                const decisive = operator === '||';
                const isDecided = a.value === decisive || b.value === decisive;
                const isOpen = a.value === null || b.value === null;
                return {
                  text: `(${a.text}) ${operator} (${b.text})`,
                  value: isDecided ? decisive : isOpen ? null : !decisive,
                };
              }),
          ),
    );
    fc.assert(
      fc.property(formula(4), ({ text, value }) => {
        const result = condition(text).evaluate(scope);
        expect(result.kind === 'value' ? result.value : null).toBe(value);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a keyed feature at the candidate's own key", () => {
  const of = (item: string | null): Scope => ({
    ...scope,
    action: item === null ? { discount: 1 } : { discount: 1, item },
  });
  const looked = condition('views_by_category[action.item] >= 2');
  const orNone = condition('(action.item in views_by_category ? views_by_category[action.item] : 0) >= 2');

  test('is its value, and differs between candidates', () => {
    expect(looked.readsAction).toBe(true);
    expect(looked.evaluate(of('shoes'))).toEqual({ kind: 'value', value: true });
    expect(looked.evaluate(of('rain coats'))).toEqual({ kind: 'value', value: false });
  });

  test('is missing for a key that has seen nothing, unless the expression says what counts then', () => {
    expect(looked.evaluate(of('hats'))).toEqual({ kind: 'missing', name: 'views_by_category["hats"]' });
    expect(looked.evaluate(of(null))).toEqual({ kind: 'missing', name: 'action.item' });
    expect(orNone.evaluate(of('shoes'))).toEqual({ kind: 'value', value: true });
    expect(orNone.evaluate(of('hats'))).toEqual({ kind: 'value', value: false });
  });
});
