import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeatureVector } from '../schemas/index.ts';
import type { CompiledModel } from '../workspace/index.ts';
import { buildRow, buildRows, type RowOf } from './row.ts';

function modelOf(inputs: readonly string[], defaults: Record<string, number> = {}): CompiledModel {
  return { id: 'm', version: '1', path: '', sha256: '', inputs, missing: -1, defaults, block: 4 };
}

function rowOf(model: CompiledModel, features: Parameters<typeof buildRow>[1]): number[] {
  const out = new Float32Array(model.inputs.length + 2).fill(9);
  buildRow(model, features, { discount: 0.25 }, 'help', out, 1);
  expect([out[0], out.at(-1)]).toEqual([9, 9]);
  return [...out.slice(1, -1)];
}

describe('the input row of a candidate', () => {
  it('holds numbers as they are and booleans as 0 and 1', () => {
    expect(
      rowOf(modelOf(['views', 'is_member', 'is_new']), { views: 3, is_member: true, is_new: false }),
    ).toEqual([3, 1, 0]);
  });

  it('says which action it is for', () => {
    expect(rowOf(modelOf(['is.help', 'is.coupon']), {})).toEqual([1, 0]);
  });

  it("holds the action's attributes", () => {
    expect(rowOf(modelOf(['action.discount', 'action.unknown']), {})).toEqual([0.25, -1]);
  });

  it("holds a keyed feature's value at the candidate's own key, and what is missing where it has none", () => {
    const model = modelOf(['by_item[action.item]', 'by_item[action.other]'], { 'by_item[action.other]': 5 });
    const rowFor = (item: string): number[] => {
      const out = new Float32Array(2);
      buildRow(model, { by_item: { tent: 3 } }, { item, other: '__proto__' }, 'help', out, 0);
      return [...out];
    };
    expect(rowFor('tent')).toEqual([3, 5]);
    expect(rowFor('rope')).toEqual([-1, 5]);
  });

  it('fills what is missing from defaults, then from missing', () => {
    const model = modelOf(['price', 'views', 'action.reach'], { price: 40, 'action.reach': 7 });
    expect(rowOf(model, { price: null })).toEqual([40, -1, 7]);
  });

  it('treats what is no finite number as missing', () => {
    const features = { a: 'text', b: ['x'], c: { shoes: 1 }, d: Number.NaN, e: Number.POSITIVE_INFINITY };
    expect(rowOf(modelOf(['a', 'b', 'c', 'd', 'e']), features)).toEqual([-1, -1, -1, -1, -1]);
  });

  it('never holds an infinity, however large the number', () => {
    expect(rowOf(modelOf(['a', 'b']), { a: 1e300, b: -1e300 }).every(Number.isFinite)).toBe(true);
  });

  it('does not mistake names of Object for defaults', () => {
    expect(rowOf(modelOf(['constructor']), {})).toEqual([-1]);
  });
});

describe('the rows of a decision', () => {
  it('are those of its candidates one by one', () => {
    const inputs = ['a', 'action.price', 'is.x', 'by_item[action.item]', 'b', 'action.weight'];
    const model = { inputs, missing: -1, defaults: { b: 7 } } as unknown as CompiledModel;
    const number = fc.oneof(fc.integer(), fc.constant(Number.NaN), fc.constant(1e39));
    const features = fc.record({
      a: fc.oneof(number, fc.boolean(), fc.constant(null)),
      b: fc.oneof(number, fc.constant(null)),
      by_item: fc.oneof(fc.dictionary(fc.constantFrom('p', 'q', '1'), fc.integer()), fc.constant(null)),
    });
    const candidate = fc.record({
      name: fc.constantFrom('x', 'y'),
      attributes: fc.record(
        {
          price: number,
          item: fc.oneof(fc.constantFrom('p', 'q', 'r'), fc.constant(1)),
          weight: fc.string(),
        },
        { requiredKeys: [] },
      ),
    });
    fc.assert(
      fc.property(
        features,
        features,
        fc.array(candidate, { maxLength: 6 }),
        fc.nat({ max: 3 }),
        (one, other, candidates, skip) => {
          for (const given of [one, other]) {
            const width = inputs.length;
            const together = new Float32Array((candidates.length + skip) * width);
            buildRows(model, given as FeatureVector, candidates as RowOf[], together, skip * width);
            const alone = new Float32Array(together.length);
            candidates.forEach(({ name, attributes }, row) => {
              buildRow(
                model,
                given as FeatureVector,
                attributes as RowOf['attributes'],
                name,
                alone,
                (row + skip) * width,
              );
            });
            expect(together).toEqual(alone);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
