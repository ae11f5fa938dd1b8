import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CompiledFeature, loadWorkspace } from './index.ts';

const head = 'version: 1\nname: shop\ntenants: { acme: {} }\n';
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-compile-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(text: string) {
  await writeFile(join(folder, 'presage.yaml'), head + text);
  return loadWorkspace(folder);
}

/** In a folder of its own, so that several can be loaded at once. */
async function loadIn(text: string): Promise<readonly CompiledFeature[]> {
  const own = await mkdtemp(join(folder, 'own-'));
  await writeFile(join(own, 'presage.yaml'), head + text);
  return (await loadWorkspace(own)).features;
}

async function feature(definition: string, more = ''): Promise<CompiledFeature> {
  const workspace = await load(`${more}features: { it: ${definition} }\n`);
  return workspace.features[0]!;
}

describe('features', () => {
  test.each([
    ['1h', 60_000, 60],
    ['30s', 1_000, 30],
    ['7d', 10_080_000, 60],
    ['61s', 1_220, 50],
    ['1s', 1_000, 1],
    ['1500ms', 1_500, 1],
    ['1m', 1_000, 60],
    ['59s', 1_000, 59],
    ['90s', 1_500, 60],
  ])('a window of %s is a ring of whole buckets of %i ms', async (window, bucketMs, buckets) => {
    expect(await feature(`{ kind: count, of: page, window: ${window} }`)).toMatchObject({
      bucketMs,
      buckets,
    });
  });

  test('a bucket may be stated', async () => {
    expect(await feature('{ kind: count, of: page, window: 24h, bucket: 1m }')).toMatchObject({
      bucketMs: 60_000,
      buckets: 1_440,
    });
  });

  test('kinds without a window have no ring', async () => {
    expect(await feature('{ kind: last, of: page, property: url }')).toEqual({
      name: 'it',
      kind: 'last',
      hash: expect.stringMatching(/^[0-9a-f]{32}$/),
      types: new Set(['page']),
      where: null,
      bucketMs: 0,
      buckets: 0,
      property: 'url',
      propertyType: 'string',
      scale: 0,
      by: null,
      keys: 0,
      n: 0,
      max: 0,
      measure: null,
      halfLifeMs: 0,
      precision: 0,
      windowMs: 0,
      withinMs: 0,
      steps: [],
      derived: null,
    });
  });

  test('definitions of before have the hashes of before, so that they keep their state', async () => {
    const hashes = [
      (await feature('{ kind: last, of: page, property: url }')).hash,
      (await feature('{ kind: count, of: "*", window: 1h, by: sku }')).hash,
    ];
    expect(hashes).toEqual(['630793293cda385d2b1a2d17d7588830', '0b01f62eb0fbba15aee3773ad8b0f832']);
  });

  test('sketches and tables have fewer buckets, a decay quarters of its half-life', async () => {
    const of = 'of: page, property: sku';
    expect(await feature(`{ kind: approx_distinct, ${of}, window: 1d }`)).toMatchObject({
      buckets: 24,
      precision: 10,
    });
    expect(await feature(`{ kind: top_k, ${of}, k: 3, window: 1d }`)).toMatchObject({
      buckets: 24,
      n: 3,
      keys: 64,
    });
    expect(await feature('{ kind: decay, of: page, half_life: 1h }')).toMatchObject({
      bucketMs: 900_000,
      buckets: 96,
      halfLifeMs: 3_600_000,
    });
  });

  test('features that are computed from others change their hash with any of these', async () => {
    const text = (window: string) =>
      `features: { twice: { kind: derived, expression: half * 2 }, half: { kind: ratio, numerator: a, denominator: a }, a: { kind: count, of: page, window: ${window} } }\n`;
    const [before, again, after] = await Promise.all(
      ['1h', '1h', '2h'].map((window) => loadIn(text(window))),
    );
    const hashOf = (features: readonly CompiledFeature[] = []) =>
      features.find(({ name }) => name === 'twice')?.hash;
    expect(hashOf(again)).toBe(hashOf(before));
    expect(hashOf(after)).not.toBe(hashOf(before));
    expect(before?.map(({ name }) => name)).toEqual(['twice', 'half', 'a']);
    expect(before?.[0]?.derived?.compute({ half: 1.5 })).toBe(3);
    expect(before?.[0]?.derived?.compute({ half: null })).toBeNull();
    expect(before?.[1]?.derived?.compute({ a: 0 })).toBeNull();
    expect(before?.[1]?.derived?.compute({ a: 4 })).toBe(1);
  });

  test('* is every type, and session features know their measure', async () => {
    expect(await feature('{ kind: session, of: "*", measure: duration }')).toMatchObject({
      types: null,
      measure: 'duration',
    });
  });

  describe('the hash of a feature', () => {
    const base = '{ kind: sum, of: [a, b], property: price, window: 1h, by: category }';
    test.each([
      [
        'a description',
        '{ kind: sum, of: [a, b], property: price, window: 1h, by: category, description: x }',
        true,
      ],
      ['the order of types', '{ kind: sum, of: [b, a], property: price, window: 1h, by: category }', true],
      [
        'a default written out',
        '{ kind: sum, of: [a, b], property: price, window: 60m, bucket: 1m, by: category, keys: 32, scale: 4 }',
        true,
      ],
      ['the window', '{ kind: sum, of: [a, b], property: price, window: 2h, by: category }', false],
      [
        'the filter',
        '{ kind: sum, of: [a, b], property: price, window: 1h, by: category, where: event.x > 1 }',
        false,
      ],
      [
        'the number of keys',
        '{ kind: sum, of: [a, b], property: price, window: 1h, by: category, keys: 31 }',
        false,
      ],
      ['the scale', '{ kind: sum, of: [a, b], property: price, window: 1h, by: category, scale: 2 }', false],
    ])('%s', async (_, other, isSame) => {
      const [one, two] = [await feature(base), await feature(other)];
      expect(one.hash === two.hash).toBe(isSame);
    });

    test('does not depend on its name', async () => {
      const { features } = await load(
        'features: { a: { kind: time_since, of: x }, b: { kind: time_since, of: x } }\n',
      );
      expect(features[0]?.hash).toBe(features[1]?.hash);
    });

    test("a session feature's depends on where sessions end", async () => {
      const definition = '{ kind: session, of: "*", measure: count }';
      const other = await feature(definition, 'session: { gap: 10m }\n');
      expect((await feature(definition)).hash).not.toBe(other.hash);
    });
  });
});

describe('event types', () => {
  const types = `types:
  order:
    properties: { price: number, id: string, gift: boolean, items: list, extra: object, __proto__: string }
    required: [price, id]
    lateness: 2h
`;
  test.each<[unknown, unknown]>([
    [{ price: 1, id: 'a', gift: true, items: [], extra: {} }, null],
    [{ price: 1, id: 'a', more: [1] }, null],
    [{ price: 1, id: 'a', gift: null }, null],
    [{ id: 'a' }, { path: 'properties.price', expected: 'number', got: 'nothing' }],
    [
      { price: null, id: 'a' },
      { path: 'properties.price', expected: 'number', got: 'nothing' },
    ],
    [
      { price: '1', id: 'a' },
      { path: 'properties.price', expected: 'number', got: 'string' },
    ],
    [
      { price: Number.NaN, id: 'a' },
      { path: 'properties.price', expected: 'number', got: 'something else' },
    ],
    [
      { price: 1, id: 'a', items: {} },
      { path: 'properties.items', expected: 'list', got: 'object' },
    ],
    [
      { price: 1, id: 'a', extra: [] },
      { path: 'properties.extra', expected: 'object', got: 'list' },
    ],
    [
      { price: 1, id: 'a', gift: 0 },
      { path: 'properties.gift', expected: 'boolean', got: 'number' },
    ],
  ])('%j', async (properties, problem) => {
    const type = (await load(types)).types.get('order');
    expect(type?.check(properties as Record<string, unknown>)).toEqual(problem);
    expect(type?.latenessMs).toBe(7_200_000);
  });

  test('the schema hash follows properties, not words or lateness', async () => {
    const hashOf = async (text: string) => (await load(text)).types.get('order')?.schemaHash;
    const before = await hashOf(types);
    expect(await hashOf(types.replace('2h', '3h').replace('[price, id]', '[id, price]'))).toBe(before);
    expect(await hashOf(types.replace('gift: boolean', 'gift: string'))).not.toBe(before);
    expect(await hashOf(types.replace('[price, id]', '[id]'))).not.toBe(before);
  });
});

describe('placements, actions and triggers', () => {
  const text = `features:
  views: { kind: count, of: page, window: 1h }
  other: { kind: count, of: page, window: 1h }
placements: { top: {}, side: { expires: 30s } }
actions:
  second:
    placements: [side, top]
    value: 1
    caps: [{ per: session, limit: 1 }, { per: subject, limit: 2, window: 7d }, { per: subject, limit: 1, window: 1h }]
  first: { placements: [top], value: views + 1, mode: observe }
triggers:
  a: { on: page, placement: top }
  b: { on: page, when: views > 1, placement: side }
  c: { on: click, placement: top }
`;

  test('a placement has its actions in the order of the file', async () => {
    const { placements } = await load(text);
    expect(placements.get('top')?.actions.map(({ name }) => name)).toEqual(['second', 'first']);
    expect(placements.get('side')?.actions.map(({ name }) => name)).toEqual(['second']);
    expect(placements.get('side')?.expiresMs).toBe(30_000);
  });

  test('caps have ids of their own', async () => {
    const { placements } = await load(text);
    expect(placements.get('side')?.actions[0]?.caps).toEqual([
      { id: 'second/session', per: 'session', limit: 1, windowMs: null },
      { id: 'second/subject/7d', per: 'subject', limit: 2, windowMs: 604_800_000 },
      { id: 'second/subject/1h', per: 'subject', limit: 1, windowMs: 3_600_000 },
    ]);
  });

  test('caps are of the action, its group, its placement and the channel of that', async () => {
    const { placements } = await load(`channels: { onsite: { caps: [{ per: session, limit: 9 }] } }
placements:
  top: { channel: onsite, caps: [{ per: subject, limit: 3, window: 1d }] }
groups:
  offers: { caps: [{ per: subject, limit: 2, window: 7d }], exclusive: { window: 1h } }
  tips: { exclusive: { per: session } }
  hints: { exclusive: {} }
actions:
  a: { placements: [top], value: 1, group: offers, caps: [{ per: session, limit: 1 }], cooldown: 30d }
  b: { placements: [top], value: 1, group: tips }
  c: { placements: [top], value: 1, group: hints }
`);
    const top = placements.get('top');
    expect(top?.caps).toEqual([
      { id: 'placement:top/subject/1d', per: 'subject', limit: 3, windowMs: 86_400_000 },
      { id: 'channel:onsite/session', per: 'session', limit: 9, windowMs: null },
    ]);
    expect(top?.actions.map(({ caps }) => caps)).toEqual([
      [
        { id: 'a/session', per: 'session', limit: 1, windowMs: null },
        { id: 'group:offers/subject/7d', per: 'subject', limit: 2, windowMs: 604_800_000 },
        { id: '!offers/a', per: 'subject', limit: 1, windowMs: 3_600_000, role: 'exclude' },
        { id: '!:dismissed/a', per: 'subject', limit: 1, windowMs: 2_592_000_000, role: 'after' },
      ],
      [{ id: '!tips/b', per: 'session', limit: 1, windowMs: null, role: 'exclude' }],
      [{ id: '!hints/c', per: 'subject', limit: 1, windowMs: 1, role: 'exclude' }],
    ]);
  });

  test.each([
    [
      'a channel that is not there',
      'placements: { top: { channel: onsit } }\nchannels: { onsite: {} }\n',
      'Did you mean "onsite"?',
    ],
    [
      'a window of a session',
      'groups: { tips: { exclusive: { per: session, window: 1h } } }\n',
      'expected no window per session',
    ],
    [
      'a cap of a channel twice',
      'placements: { top: { channel: onsite } }\nchannels: { onsite: { caps: [{ per: session, limit: 1 }, { per: session, limit: 2 }] } }\n',
      'is there twice',
    ],
  ])('%s is told', async (_what, text, told) => {
    await expect(load(text)).rejects.toThrow(told);
  });

  test('triggers are found by event type, in the order of the file', async () => {
    const { triggersByType } = await load(text);
    expect(triggersByType.get('page')?.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(triggersByType.get('click')?.map(({ name }) => name)).toEqual(['c']);
  });

  test.each([
    [
      'an unread feature',
      'other: { kind: count, of: page, window: 1h }',
      'other: { kind: count, of: page, window: 2h }',
      true,
    ],
    ['a description', 'value: views + 1', 'value: views + 1, description: x', true],
    ['another placement', 'expires: 30s', 'expires: 40s', true],
    [
      'a feature that is read',
      'views: { kind: count, of: page, window: 1h }',
      'views: { kind: count, of: page, window: 2h }',
      false,
    ],
    ['an expression', 'views + 1', 'views + 2', false],
    ['a cap', 'limit: 2', 'limit: 3', false],
    ['a mode', 'mode: observe', 'mode: act', false],
  ])('the policy of a placement: %s', async (_, before, after, isSame) => {
    const policyOf = async (source: string) => (await load(source)).placements.get('top')?.policy;
    expect(text).toContain(before);
    expect((await policyOf(text)) === (await policyOf(text.replace(before, after)))).toBe(isSame);
  });

  test('the workspace hash follows content, not layout', async () => {
    const before = (await load(text)).hash;
    expect(
      (
        await load(
          `# a comment\n${text.replace('{ on: click, placement: top }', '{ placement: "top", on: click }')}`,
        )
      ).hash,
    ).toBe(before);
    expect((await load(text.replace('click', 'tap'))).hash).not.toBe(before);
  });

  test('the workspace hash and the policy follow the bytes of the models', async () => {
    const withModel = text
      .replace('top: {}', 'top: { model: m }')
      .concat('models: { m: { file: m.onnx, inputs: [views, is.first] } }\n');
    await writeFile(join(folder, 'm.onnx'), 'one');
    const one = await load(withModel);
    await writeFile(join(folder, 'm.onnx'), 'two');
    const two = await load(withModel);
    expect(one.hash).not.toBe(two.hash);
    expect(one.placements.get('top')?.policy).not.toBe(two.placements.get('top')?.policy);
    expect(one.placements.get('side')?.policy).toBe(two.placements.get('side')?.policy);
    // sha256 of "one", by coreutils.
    expect(one.models.get('m')?.sha256).toBe(
      '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed',
    );
  });
});

describe('rules of actions', () => {
  const shop = (actions: string) => `
features: { views: { kind: count, of: page, window: 1h } }
placements: { banner: {}, mail: {} }
triggers: { seen: { on: page, placement: banner } }
groups:
  offers: { eligible: views > 1, suitable: 'action.discount < 50' }
  help: { applicable: views > 3 }
actions:
${actions}`;
  const banner = async (actions: string) => (await load(shop(actions))).placements.get('banner')!;
  const offer = (more: string) => `{ placements: [banner], value: 1, attributes: { discount: 10 }, ${more} }`;

  test('stand in the order of the stages, the group’s before the action’s own', async () => {
    const [action] = (
      await banner(
        `  a: ${offer('group: offers, suitable: views < 9, applicable: views > 2, eligible: views > 0')}`,
      )
    ).actions;
    expect(action?.rules.map(({ stage, expression }) => `${stage}: ${expression.text}`)).toEqual([
      'eligibility: views > 1',
      'eligibility: views > 0',
      'applicability: views > 2',
      'suitability: action.discount < 50',
      'suitability: views < 9',
    ]);
  });

  test('are one expression where they are equal and read nothing of the candidate', async () => {
    const { actions } = await banner(
      `  a: ${offer('group: offers')}\n  b: ${offer('eligible: views > 1, group: offers')}`,
    );
    const [one, other] = actions.map(({ rules }) => rules.map(({ expression }) => expression));
    expect(other?.[0]).toBe(one?.[0]);
    expect(other?.[1]).toBe(one?.[0]);
    expect(other?.[2]).not.toBe(one?.[1]);
  });

  test('make another policy when the group changes', async () => {
    const before = await load(shop(`  a: ${offer('group: offers')}\n  b: ${offer('')}`));
    const text = shop(`  a: ${offer('group: offers')}\n  b: ${offer('')}`);
    const changed = await load(text.replace('views > 1', 'views > 5'));
    const other = await load(text.replace('views > 3', 'views > 5'));
    const policy = (workspace: typeof before) => workspace.placements.get('banner')?.policy;
    expect(policy(changed)).not.toBe(policy(before));
    expect(policy(other)).toBe(policy(before));
  });

  test('of a group are wrong once, however many actions keep them', async () => {
    const text = shop(`  a: ${offer('group: offers')}\n  b: ${offer('group: offers')}`).replace(
      'views > 1',
      'viws > 1',
    );
    await expect(load(text)).rejects.toThrow(
      /^[^\n]*groups\.offers\.eligible: there is no feature "viws"[^\n]*$/,
    );
  });

  test('need a gate where an action does more than inform, and have none where it does not', async () => {
    const { actions } = await banner(
      `  a: ${offer('effect: moves_money')}\n  b: ${offer('effect: states_fact, gate: { threshold: 0.95 }')}\n  c: ${offer('')}`,
    );
    const review = {
      isReversible: false,
      sample: 0.02,
      escalateMs: 900_000,
      withinMs: 3_600_000,
      calibration: null,
    };
    expect(actions.map(({ gate }) => gate)).toEqual([
      { target: 'right', threshold: 0.85, ...review },
      { target: 'right', threshold: 0.95, ...review },
      null,
    ]);
    await expect(load(shop(`  a: ${offer('gate: {}')}`))).rejects.toThrow(
      'actions.a.gate: expected no gate for an action that only informs',
    );
    await expect(load(shop(`  a: ${offer('reversible: true')}`))).rejects.toThrow(
      'actions.a.reversible: expected it only where an effect gives the action a gate',
    );
  });

  test('are reviewed in times that the workspace states, urgent before they are over', async () => {
    const text = shop(`  a: ${offer('effect: moves_money, reversible: true')}`);
    const { actions } = (
      await load(`${text}\nreview: { within: 10m, escalate: 1m, sample: 0.5 }`)
    ).placements.get('banner')!;
    expect(actions[0]?.gate).toMatchObject({
      isReversible: true,
      sample: 0.5,
      escalateMs: 60_000,
      withinMs: 600_000,
    });
    await expect(load(`${text}\nreview: { within: 5m }`)).rejects.toThrow(
      'review.within: expected escalate (15m) to be shorter than within (5m)',
    );
    await expect(load(`${text}\nreview: { within: 8d }`)).rejects.toThrow('expected at most 7d');
    await expect(load(text.replace('banner: {}', 'banner: { slots: 2 }'))).rejects.toThrow(
      'placements.banner.slots: expected one slot, since "a" has a gate',
    );
  });
});

describe('exploration of a placement', () => {
  const shop = (placement: string) => `
features: { views: { kind: count, of: page, window: 1h } }
placements: { banner: ${placement} }
triggers: { seen: { on: page, placement: banner } }
actions:
  a: { placements: [banner], value: 1, attributes: { known: 3 } }
  b: { placements: [banner], value: 1, attributes: { known: 5, other: 1 } }
`;
  const banner = async (placement: string) => (await load(shop(placement))).placements.get('banner')!;

  test('is none unless it is stated', async () => {
    const { slots, nothing, exploration } = await banner('{}');
    expect([slots, nothing, exploration]).toEqual([undefined, undefined, undefined]);
  });

  test('has defaults, and a floor', async () => {
    const { slots, nothing, exploration } = await banner(
      '{ slots: 3, nothing: 0.5, exploration: { kind: softmax } }',
    );
    expect([slots, nothing, exploration]).toEqual([3, 0.5, { kind: 'softmax', temperature: 1, floor: true }]);
  });

  test('of Thompson sampling reads features and what all candidates have', async () => {
    const { exploration } = await banner(
      '{ exploration: { kind: thompson, alpha: 1 + action.known, beta: 1 + views } }',
    );
    expect(exploration).toMatchObject({
      kind: 'thompson',
      alpha: { readsAction: true },
      beta: { reads: ['views'] },
    });
    await expect(
      banner('{ exploration: { kind: thompson, alpha: action.other, beta: 1 + views } }'),
    ).rejects.toThrow('placements.banner.exploration.alpha: this action has no attribute "other"');
  });

  test.each([
    ['{ slots: 17 }', 'placements.banner.slots: expected at most 16 but found 17'],
    ['{ nothing: 0 }', 'placements.banner.nothing: expected a number above 0 but found 0'],
    ['{ nothing: viws }', 'placements.banner.nothing: there is no feature "viws". Did you mean "views"?'],
    ['{ exploration: { kind: softmax, temperature: 0.01 } }', 'expected at least 0.05 but found 0.01'],
  ])('%s is refused', async (placement, message) => {
    await expect(banner(placement)).rejects.toThrow(message);
  });

  test('is part of the policy', async () => {
    const policies = await Promise.all(
      ['{}', '{ slots: 2 }', '{ nothing: 1 }', '{ exploration: { kind: softmax } }'].map(
        async (placement) => {
          const own = await mkdtemp(join(folder, 'own-'));
          await writeFile(join(own, 'presage.yaml'), head + shop(placement));
          return (await loadWorkspace(own)).placements.get('banner')?.policy;
        },
      ),
    );
    expect(new Set(policies).size).toBe(4);
  });
});

describe('a holdout', () => {
  const shop = (more: string) =>
    `${more}placements: { banner: {} }\nactions: { a: { placements: [banner], value: 1, holdout: exempt } }\n`;

  test('is there only where it is stated, with 5% a quarter', async () => {
    const without = await load(shop(''));
    expect(without.placements.get('banner')).not.toHaveProperty('holdout');
    const { placements } = await load(shop('holdout: {}\n'));
    expect(placements.get('banner')).toMatchObject({
      holdout: { share: 0.05, period: 'quarter', salt: '' },
      actions: [{ isExempt: true }],
    });
    expect(placements.get('banner')?.policy).not.toBe(without.placements.get('banner')?.policy);
  });
});
