import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyProfile, mostProperties, mostTypes, observe } from './profile.ts';
import { propose, share } from './propose.ts';
import { renderProposals } from './render.ts';

type Types = Parameters<typeof propose>[1];
function proposed(events: readonly (readonly [string, Record<string, unknown>])[], declared: Types = {}) {
  const profile = emptyProfile();
  for (const [type, properties] of events) observe(profile, type, properties);
  return propose(profile, declared);
}
const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const commentOf = (events: Parameters<typeof proposed>[0], name: string): string =>
  proposed(events)[0]?.properties.find((property) => property.name === name)?.comment ?? '';

describe('what infer proposes', () => {
  it('the type that every value had, the share of events that had one, and what all had as required', () => {
    const events = times(
      40,
      (i) => ['view', { sku: `s${i % 3}`, ...(i < 10 ? { size: i } : {}), gone: null }] as const,
    );
    expect(renderProposals(proposed(events))).toBe(
      'types:\n  # 40 seen\n  view:\n    properties:\n      size: number # in 25%; 0 to 9\n      sku: string # in 100%; e.g. "s0", "s1", "s2"; an id?\n    required: [sku]\n    # "gone": in 100%; 100% null; never had a value\n',
    );
  });

  it('nothing as required of a handful of events', () => {
    expect(proposed(times(5, () => ['view', { a: 1 }]))[0]?.required).toEqual([]);
  });

  it('no declaration for mixed types, but what they were', () => {
    const events = times(10, (i) => ['view', { size: i < 8 ? i : 'XL' }] as const);
    expect(proposed(events)[0]?.properties).toMatchObject([
      { name: 'size', type: null, comment: expect.stringContaining('MIXED: 80% number, 20% string') },
    ]);
    expect(renderProposals(proposed(events))).toContain('# "size": in 100%; MIXED');
  });

  it('hints at personal data and shows none of it', () => {
    const events = times(
      30,
      (i) => ['signup', { contact: `ann${i}@example.org`, firstName: 'Ann', plan: 'pro' }] as const,
    );
    const text = renderProposals(proposed(events));
    expect(text).not.toMatch(/@example|"Ann"/);
    expect(commentOf(events, 'contact')).toContain('PERSONAL? 100% look like an e-mail address');
    expect(commentOf(events, 'firstName')).toContain('PERSONAL? by its name');
    expect(commentOf(events, 'plan')).not.toContain('PERSONAL');
  });

  it.each([
    ['+49 151 23456789', 'phone number'],
    ['192.168.17.4', 'IP address'],
    ['4111 1111 1111 1111', 'card number'],
    ['DE89370400440532013000', 'IBAN'],
  ])('%s looks like a %s', (value, look) => {
    expect(
      commentOf(
        times(10, () => ['x', { field: value }]),
        'field',
      ),
    ).toContain(look);
  });

  it('hints at ids, and at text that is something else', () => {
    const events = times(
      300,
      (i) =>
        ['x', { ref: `r-${i * 7919}`, amount: `${i}.50`, day: '2024-05-01', city: `c${i % 9}` }] as const,
    );
    expect(commentOf(events, 'ref')).toContain('an id? hardly a value comes twice');
    expect(commentOf(events, 'amount')).toContain('looks like a number');
    expect(commentOf(events, 'day')).toContain('looks like a date');
    expect(commentOf(events, 'city')).not.toMatch(/id\?|looks/);
  });

  it('of a declared type only what it lacks, and where events differ from it', () => {
    const declared = {
      view: { properties: { price: 'number', sku: 'string' }, required: ['sku'], lateness: '1h' },
    } as const;
    const fine = times(4, () => ['view', { price: 1, sku: 'a' }] as const);
    expect(proposed(fine, declared as never)).toEqual([]);
    const [proposal] = proposed([...fine, ['view', { price: '2', colour: 'red' }]], declared as never);
    expect(proposal).toMatchObject({
      isDeclared: true,
      properties: [{ name: 'colour', type: 'string' }],
      required: [],
      remarks: ['price is declared number, but 20% were string', 'sku is required, but 20% had none'],
    });
  });

  it("not the engine's own types", () => {
    expect(proposed([['$exposure', { a: 1 }]])).toEqual([]);
  });

  it('stays bounded, whatever comes, and says what it left out', () => {
    const profile = emptyProfile();
    for (let i = 0; i < mostTypes + 5; i++) observe(profile, `t${i}`, {});
    expect([profile.types.size, profile.overflowing]).toEqual([mostTypes, 5]);
    for (let i = 0; i < 1_000; i++) observe(profile, 't0', { [`p${i}`]: 'x'.repeat(100_000) });
    const [found] = propose(profile, {});
    expect(found?.properties).toHaveLength(mostProperties);
    expect(found?.remarks[0]).toContain('perhaps names are data');
    expect(
      JSON.stringify(
        [...(profile.types.get('t0')?.properties.values() ?? [])].map((one) => [
          ...one.distinct,
          ...one.examples,
        ]),
      ).length,
    ).toBeLessThan(100_000);
  });

  it('a share that reads 100% is of all, and one that is not 0 does not read 0', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.nat(1e6), (whole, some) => {
        const part = some % (whole + 1);
        expect(share(part, whole) === '100%').toBe(part === whole);
        if (part > 0) expect(share(part, whole)).not.toMatch(/^0(\.0)?%$/);
      }),
    );
  });
});
