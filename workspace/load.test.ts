import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PresageError } from '../core/index.ts';
import { formatProblem, loadWorkspace, WorkspaceError } from './index.ts';

/** Everything a workspace can have, and nothing wrong. Line numbers count from the first line of the text. */
const valid = `version: 1
name: shop
events: closed
tenants:
  acme: { currency: EUR, timezone: Europe/Paris }
purposes:
  offers: { description: Offers in the shop }
  support: {}
types:
  product_viewed:
    properties: { price: number, category: string, sale: boolean, tags: list, extra: object }
    required: [price]
  cart_updated:
    properties: { value: number }
features:
  views: { kind: count, of: product_viewed, window: 1h, where: event.price > 5 }
  cart_value: { kind: last, of: cart_updated, property: value, type: number, purposes: [offers] }
  categories: { kind: count, of: product_viewed, by: category, window: 24h, bucket: 1h }
  recent: { kind: last_n, of: product_viewed, property: category, n: 3 }
placements:
  banner: { expires: 5m, model: accept }
actions:
  free_shipping:
    placements: [banner]
    eligible: cart_value > 30 && views >= 2
    value: cart_value * 0.1
    attributes: { discount: 5 }
    purpose: offers
    caps:
      - { per: session, limit: 1 }
      - { per: subject, limit: 3, window: 7d }
    content: { title: Free shipping }
triggers:
  viewed: { on: product_viewed, when: views >= 2 && event.price > 10, placement: banner }
models:
  accept:
    file: models/accept.onnx
    inputs: [views, cart_value, action.discount, is.free_shipping]
    defaults: { cart_value: 0 }
feed: { map: map.mjs, tenant: acme }
simulate: { module: map.mjs }
demo: { site: site }
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-workspace-'));
  await mkdir(join(folder, 'models'));
  await mkdir(join(folder, 'site'));
  await writeFile(join(folder, 'models/accept.onnx'), 'not really a model');
  await writeFile(join(folder, 'map.mjs'), '');
});
afterEach(() => rm(folder, { recursive: true }));

async function load(text: string) {
  await writeFile(join(folder, 'presage.yaml'), text);
  return loadWorkspace(folder);
}

/** The problems of a text, as people read them, without the folder. */
async function problemsOf(text: string): Promise<string[]> {
  const error = await load(text).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) return [];
  if (!(error instanceof WorkspaceError)) throw error;
  return error.problems.map((problem) => formatProblem(problem).slice(folder.length + 1));
}

describe('a workspace without mistakes', () => {
  test('loads', async () => {
    const workspace = await load(valid);
    expect(workspace).toMatchObject({ name: 'shop', folder, eventsAreOpen: false, scoringBudgetMs: 20 });
    expect(workspace.placements.get('banner')).toMatchObject({ expiresMs: 300_000, model: { id: 'accept' } });
    expect(workspace.triggersByType.get('product_viewed')?.[0]?.placement).toBe(
      workspace.placements.get('banner'),
    );
  });
});

/** What to change in the valid file, with ¦ where the problem stands, and the problem. */
const mistakes: readonly (readonly [string, string, string, string])[] = [
  [
    'a misspelt kind',
    'kind: last_n',
    'kind: ¦last_m',
    'features.recent.kind: expected one of count, sum, min, max, mean, last, last_n, distinct, time_since, session, decay, approx_distinct, top_k, sequence, ratio, derived but found "last_m". Did you mean "last_n"?',
  ],
  [
    'a missing kind',
    'recent: { kind: last_n, ',
    '¦recent: { ',
    'features.recent.kind: expected one of count, sum, min, max, mean, last, last_n, distinct, time_since, session, decay, approx_distinct, top_k, sequence, ratio, derived but it is missing.',
  ],
  [
    'an unknown key',
    'required: [price]',
    '¦requird: [price]',
    'types.product_viewed.requird: unknown key; expected one of description, properties, required, lateness. Did you mean "required"?',
  ],
  [
    'an unknown key of one kind',
    'n: 3 }',
    'n: 3, ¦window: 1h }',
    'features.recent.window: unknown key; expected one of kind, description, of, where, purposes, property, n.',
  ],
  [
    'an unknown key at the top',
    'feed:',
    '¦fed:',
    'fed: unknown key; expected one of version, name, description, events, tenants, purposes, types, features, placements, channels, groups, actions, triggers, models, outcomes, sources, holdout, scoring, deduplication, session, timers, state, review, feed, simulate, demo. Did you mean "feed"?',
  ],
  [
    'a missing key',
    'recent: { kind: last_n, of: product_viewed, property: category, n: 3',
    '¦recent: { kind: last_n, of: product_viewed, property: category',
    'features.recent.n: expected a number but it is missing.',
  ],
  [
    'a missing key at the top',
    'version: 1\nname: shop\n',
    '¦version: 1\n',
    'name: expected a string but it is missing.',
  ],
  [
    'a wrong type',
    'limit: 1 }',
    'limit: ¦one }',
    'actions.free_shipping.caps[0].limit: expected a number but found "one".',
  ],
  [
    'a fraction',
    'limit: 1 }',
    'limit: ¦1.5 }',
    'actions.free_shipping.caps[0].limit: expected a whole number but found 1.5.',
  ],
  ['a number too big', 'n: 3 }', 'n: ¦51 }', 'features.recent.n: expected at most 50 but found 51.'],
  [
    'a list too short',
    'placements: [banner]',
    'placements: ¦[]',
    'actions.free_shipping.placements: expected at least 1 item but found an empty list.',
  ],
  [
    'an empty value',
    'expires: 5m',
    'expires:¦',
    'placements.banner.expires: expected a string but found nothing.',
  ],
  [
    'a bad duration',
    'expires: 5m',
    'expires: ¦5 minutes',
    'placements.banner.expires: expected a duration such as 30s, 5m, 1h or 7d but found "5 minutes".',
  ],
  [
    'a bad name',
    '  views: {',
    '  ¦Views: {',
    'features.Views: expected a name: lower-case letters, digits and _, beginning with a letter, at most 64 characters but found "Views".',
  ],
  [
    'a union',
    'of: cart_updated',
    'of: ¦{ a: 1 }',
    'features.cart_value.of: expected a string or a list but found a map.',
  ],
  [
    'a union, further in',
    'of: cart_updated',
    'of: [cart_updated, ¦3]',
    'features.cart_value.of[1]: expected a string but found 3.',
  ],
  ['a wrong version', 'version: 1', 'version: ¦2', 'version: expected 1 but found 2.'],
  [
    'a wrong choice',
    'events: closed',
    'events: ¦close',
    'events: expected one of open, closed but found "close". Did you mean "closed"?',
  ],
  [
    'no tenants',
    '\n  acme: { currency: EUR, timezone: Europe/Paris }\n',
    '¦\n',
    'tenants: expected a map but found nothing.',
  ],
  [
    'an unknown time zone',
    'Europe/Paris',
    '¦Europe/Pariss',
    'tenants.acme.timezone: expected a time zone such as Europe/Paris but found "Europe/Pariss". Did you mean "Europe/Paris"?',
  ],
  [
    'an unknown tenant',
    'tenant: acme',
    'tenant: ¦acne',
    'feed.tenant: expected the name of one of the tenants but found "acne". Did you mean "acme"?',
  ],
  [
    'an unknown placement of a trigger',
    'placement: banner',
    'placement: ¦baner',
    'triggers.viewed.placement: expected the name of one of the placements but found "baner". Did you mean "banner"?',
  ],
  [
    'an unknown placement of an action',
    'placements: [banner]',
    'placements: [banner, ¦sidebar]',
    'actions.free_shipping.placements[1]: expected the name of one of the placements but found "sidebar".',
  ],
  [
    'a placement twice',
    'placements: [banner]',
    'placements: [banner, ¦banner]',
    'actions.free_shipping.placements[1]: expected each placement once but found "banner" again.',
  ],
  [
    'an unknown model',
    'model: accept',
    'model: ¦acept',
    'placements.banner.model: expected the name of one of the models but found "acept". Did you mean "accept"?',
  ],
  [
    'an unknown purpose',
    'purpose: offers',
    'purpose: ¦offer',
    'actions.free_shipping.purpose: expected the name of one of the purposes but found "offer". Did you mean "offers"?',
  ],
  [
    'an undeclared type of a feature',
    'of: product_viewed, property',
    'of: [¦product_viewd], property',
    'features.recent.of[0]: expected a declared event type (events are closed) but found "product_viewd". Did you mean "product_viewed"?',
  ],
  [
    'an undeclared type of a trigger',
    'on: product_viewed',
    'on: ¦product_view',
    'triggers.viewed.on: expected a declared event type (events are closed) but found "product_view". Did you mean "product_viewed"?',
  ],
  [
    "a trigger on the engine's own",
    'on: product_viewed',
    'on: ¦$exposure',
    "triggers.viewed.on: expected an event that subjects send but found one of the engine's own.",
  ],
  [
    'an unknown $ type',
    'of: cart_updated',
    'of: ¦$outcom',
    'features.cart_value.of: expected an event type, or one of $exposure, $outcome, $session, but found "$outcom". Did you mean "$outcome"?',
  ],
  [
    '* among others',
    'of: cart_updated',
    'of: [¦"*", cart_updated]',
    'features.cart_value.of[0]: expected event types, or "*" alone for all of them.',
  ],
  [
    'a required property that is not declared',
    'required: [price]',
    'required: [¦pric]',
    `types.product_viewed.required[0]: expected one of this type's properties but found "pric". Did you mean "price"?`,
  ],
  [
    'a reserved feature name',
    'views: {',
    '¦event: {',
    'features.event: expected another name: "event" means something in expressions.',
  ],
  [
    'a bucket that does not divide',
    'bucket: 1h',
    'bucket: ¦5h',
    'features.categories.bucket: expected a bucket that divides the window of 24h evenly, such as 24m, but found "5h".',
  ],
  [
    'too many buckets',
    'bucket: 1h',
    'bucket: ¦1s',
    'features.categories.bucket: expected at most 1440 buckets in a window (a bucket of 1m or more) but found 86400.',
  ],
  [
    'a bucket too short',
    'bucket: 1h',
    'bucket: ¦500ms',
    'features.categories.bucket: expected a bucket of at least 1s but found "500ms".',
  ],
  [
    'a window too short',
    'window: 24h, bucket: 1h',
    'window: ¦900ms',
    'features.categories.window: expected a window of at least 1s but found "900ms".',
  ],
  [
    'an unknown feature',
    'eligible: cart_value > 30 && views >= 2',
    'eligible: cart_value > 30 && ¦viws >= 2',
    'actions.free_shipping.eligible: there is no feature "viws". Did you mean "views"?',
  ],
  [
    'an unknown feature in quotes',
    'eligible: cart_value > 30 && views >= 2',
    'eligible: "cart_value > 30 && ¦viws >= 2"',
    'actions.free_shipping.eligible: there is no feature "viws". Did you mean "views"?',
  ],
  [
    'types that do not fit',
    'eligible: cart_value > 30',
    'eligible: ¦recent > 30',
    `actions.free_shipping.eligible: the types in "recent > 30" don't fit (no such overload: list<string> > double).`,
  ],
  [
    'a condition that is none',
    'eligible: cart_value > 30 && views >= 2',
    'eligible: ¦cart_value',
    'actions.free_shipping.eligible: expected an expression that gives true or false but this gives double.',
  ],
  [
    'a value that is no number',
    'value: cart_value * 0.1',
    'value: ¦cart_value > 1',
    'actions.free_shipping.value: expected an expression that gives a number but this gives bool.',
  ],
  [
    'a syntax error in CEL',
    'value: cart_value * 0.1',
    'value: cart_value *¦',
    'actions.free_shipping.value: this is not a CEL expression (Unexpected token: EOF).',
  ],
  [
    'an undeclared property',
    'event.price > 10',
    '¦event.pirce > 10',
    `triggers.viewed.when: no event type that is read here declares the property "pirce": add it to the type's properties, or read another. Did you mean "event.price"?`,
  ],
  [
    'an endless window',
    'window: 24h, bucket: 1h',
    'window: ¦99999999999d, bucket: 1d',
    'features.categories.window: expected a duration of at most 3650d but found "99999999999d".',
  ],
  [
    'a condition that reads nothing',
    'where: event.price > 5',
    'where: ¦"1 > 2"',
    'features.views.where: expected a condition on the event but this reads nothing of it: leave it out.',
  ],
  [
    'a feature in where',
    'where: event.price > 5',
    'where: ¦cart_value > 5',
    'features.views.where: expected event.<property> but found "cart_value".',
  ],
  [
    'an action in a trigger',
    'event.price > 10',
    '¦action.discount > 10',
    'triggers.viewed.when: there is no action here.',
  ],
  [
    'an unknown attribute',
    'value: cart_value * 0.1',
    'value: ¦action.discont',
    'actions.free_shipping.value: this action has no attribute "discont". Did you mean "action.discount"?',
  ],
  [
    'a value of nothing',
    'value: cart_value * 0.1',
    'value: ¦0',
    'actions.free_shipping.value: expected a number above 0 but found 0.',
  ],
  [
    'a negative weight',
    'purpose: offers',
    'purpose: offers\n    weight: ¦-1',
    'actions.free_shipping.weight: expected a number 0 or above but found -1.',
  ],
  [
    'a cap twice',
    '{ per: subject, limit: 3, window: 7d }',
    '¦{ per: session, limit: 2 }',
    'actions.free_shipping.caps[1]: expected one cap per period but "free_shipping/session" is there twice.',
  ],
  [
    'content that is not JSON',
    'title: Free shipping',
    'title: [ok, ¦.nan]',
    'actions.free_shipping.content.title[1]: expected text, a finite number, true, false, null, a list or a map.',
  ],
  [
    'an unknown input',
    'inputs: [views,',
    'inputs: [¦view,',
    'models.accept.inputs[0]: expected a feature, action.<attribute> or is.<action> but found "view". Did you mean "views"?',
  ],
  [
    'an input that is no number',
    'inputs: [views,',
    'inputs: [¦categories,',
    'models.accept.inputs[0]: expected a feature that is a number but "categories" is a map of values by key.',
  ],
  [
    'an unknown action as input',
    'is.free_shipping',
    '¦is.free_shiping',
    'models.accept.inputs[3]: expected a feature, action.<attribute> or is.<action> but found "is.free_shiping". Did you mean "is.free_shipping"?',
  ],
  [
    'an unknown default',
    'defaults: { cart_value: 0 }',
    'defaults: { ¦cart: 0 }',
    `models.accept.defaults.cart: expected one of the model's inputs but found "cart".`,
  ],
  [
    'a model file that is not there',
    'models/accept.onnx',
    '¦models/acept.onnx',
    'models.accept.file: expected a file at "models/acept.onnx" but there is nothing there.',
  ],
  [
    'a model file outside',
    'models/accept.onnx',
    '¦../accept.onnx',
    `models.accept.file: expected a file within the workspace's folder but found "../accept.onnx".`,
  ],
  [
    'a map module that is not there',
    'map: map.mjs',
    'map: ¦mapp.mjs',
    'feed.map: expected a file at "mapp.mjs" but there is nothing there.',
  ],
  [
    'a simulate module that is a folder',
    'module: map.mjs',
    'module: ¦site',
    'simulate.module: expected a file at "site" but it is something else.',
  ],
  [
    'a demo that is a file',
    'site: site',
    'site: ¦map.mjs',
    'demo.site: expected a folder at "map.mjs" but it is something else.',
  ],
  [
    'a purpose that a feature does not allow',
    'cart_value > 30 && views >= 2\n    value: cart_value * 0.1\n    attributes: { discount: 5 }\n    purpose: offers',
    '¦cart_value > 30 && views >= 2\n    value: cart_value * 0.1\n    attributes: { discount: 5 }\n    purpose: support',
    'actions.free_shipping.eligible: cart_value may be used for offers only, and action free_shipping serves support.',
  ],
  [
    'a purpose that a feature does not allow, through one that is computed from it',
    'placements:\n  banner: { expires: 5m, model: accept }\nactions:\n  free_shipping:\n    placements: [banner]\n    eligible: cart_value',
    '  twice: { kind: derived, expression: cart_value * 2 }\nplacements:\n  banner: { expires: 5m }\nactions:\n  other:\n    placements: [banner]\n    value: ¦twice\n    purpose: support\n  free_shipping:\n    placements: [banner]\n    eligible: cart_value',
    'actions.other.value: cart_value (which twice is computed from) may be used for offers only, and action other serves support.',
  ],
  [
    'a feature that is computed from itself',
    'placements:\n  banner',
    '  a: { kind: derived, expression: b + 1 }\n  b: { kind: ratio, numerator: views, denominator: ¦a }\nplacements:\n  banner',
    'features.b.denominator: expected other features but a is computed from itself (a <- b <- a).',
  ],
  [
    'a ratio of an unknown feature',
    'placements:\n  banner',
    '  b: { kind: ratio, numerator: ¦view, denominator: views }\nplacements:\n  banner',
    'features.b.numerator: expected the name of one of the features but found "view". Did you mean "views"?',
  ],
  [
    'a ratio of what is no number',
    'placements:\n  banner',
    '  b: { kind: ratio, numerator: views, denominator: ¦recent }\nplacements:\n  banner',
    'features.b.denominator: expected a feature that is a number but found "recent".',
  ],
  [
    'an expression over features that reads an event',
    'placements:\n  banner',
    '  b: { kind: derived, expression: views + ¦event.price }\nplacements:\n  banner',
    'features.b.expression: there is no event here: this is computed from other features.',
  ],
  [
    'a derived feature of another type than it says',
    'placements:\n  banner',
    '  b: { kind: derived, type: boolean, expression: ¦views + 1 }\nplacements:\n  banner',
    'features.b.expression: expected an expression that gives true or false but this gives double.',
  ],
  [
    'a sequence that is longer than its window',
    'placements:\n  banner',
    '  b: { kind: sequence, steps: [{ of: cart_updated }, { of: product_viewed }], within: ¦2h, window: 1h }\nplacements:\n  banner',
    'features.b.within: expected at most the window, 1h, but found "2h".',
  ],
  [
    'a step of an unknown type',
    'placements:\n  banner',
    '  b: { kind: sequence, steps: [{ of: cart_updated }, { of: ¦product_viewd }], within: 1h, window: 1h }\nplacements:\n  banner',
    'features.b.steps[1].of: expected a declared event type (events are closed) but found "product_viewd". Did you mean "product_viewed"?',
  ],
  [
    'a top_k that counts too few values',
    'placements:\n  banner',
    '  b: { kind: top_k, of: product_viewed, property: category, k: 5, keys: ¦3, window: 1h }\nplacements:\n  banner',
    'features.b.keys: expected at least k, 5, but found 3.',
  ],
  [
    'sketches of too many registers',
    'placements:\n  banner',
    '  b: { kind: approx_distinct, of: product_viewed, property: category, precision: ¦14, window: 1h, bucket: 1m }\nplacements:\n  banner',
    'features.b.precision: expected at most 65536 registers in all (buckets x 2^precision) but found 60 x 2^14: choose longer buckets or a lower precision.',
  ],
  [
    'tables of too many counts',
    'placements:\n  banner',
    '  b: { kind: top_k, of: product_viewed, property: category, k: 5, keys: ¦256, window: 2h, bucket: 1m }\nplacements:\n  banner',
    'features.b.keys: expected at most 16384 counts in all (buckets x keys) but found 120 x 256: choose longer buckets or fewer keys.',
  ],
  [
    'a ratio whose denominator is always zero',
    'placements:\n  banner',
    '  b: { kind: ratio, numerator: views, denominator: c }\n  c: { kind: derived, expression: ¦0 * 1 }\nplacements:\n  banner',
    'features.c.expression: expected an expression over other features but this reads none, so it is always the same: write its value where it is used.',
  ],
  [
    'an endless half-life',
    'placements:\n  banner',
    '  b: { kind: decay, of: product_viewed, half_life: ¦366d }\nplacements:\n  banner',
    'features.b.half_life: expected a half-life in whole seconds, at most 365d, but found "366d".',
  ],
  [
    'a half-life that is too fine',
    'placements:\n  banner',
    '  b: { kind: decay, of: product_viewed, half_life: ¦501ms }\nplacements:\n  banner',
    'features.b.half_life: expected a half-life in whole seconds, at most 365d, but found "501ms".',
  ],
  [
    'an input by a key of a feature that has none',
    'inputs: [views,',
    'inputs: [¦"view[action.discount]",',
    'models.accept.inputs[0]: expected a feature with "by" before the bracket but found "view".',
  ],
  [
    'an input by an attribute that no action has',
    'inputs: [views,',
    'inputs: [¦"categories[action.discont]",',
    'models.accept.inputs[0]: expected an attribute that some action has but found "discont". Did you mean "discount"?',
  ],
  ['a key twice', 'name: shop', 'name: shop\n¦name: shop', 'this is not YAML: Map keys must be unique.'],
  [
    'a bracket left open',
    'placements: [banner]\n    eligible: car',
    'placements: [banner\n    ¦eligible: car',
    'this is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ].',
  ],
  ['an unknown tag', 'name: shop', 'name: ¦!secret shop', 'this is not YAML: Unresolved tag: !secret.'],
];

describe('each mistake is told with its place', () => {
  test.each(mistakes)('%s', async (_, before, after, problem) => {
    expect(valid).toContain(before);
    const marked = valid.replace(before, () => after);
    const above = marked.slice(0, marked.indexOf('¦')).split('\n');
    const place = `presage.yaml:${above.length}:${above.at(-1)!.length + 1}`;
    const [first] = await problemsOf(marked.replace('¦', ''));
    expect(first).toBe(
      problem.startsWith('this is not YAML') ? `${place}: ${problem}` : `${place} ${problem}`,
    );
  });

  test('in an expression over several lines, at the expression', async () => {
    const folded = valid.replace(
      'cart_value > 30 && views >= 2',
      '>-\n      cart_value > 30 &&\n      viws >= 2',
    );
    expect((await problemsOf(folded))[0]).toBe(
      'presage.yaml:25:15 actions.free_shipping.eligible: there is no feature "viws". Did you mean "views"?',
    );
  });

  test('through an alias, where the value is written', async () => {
    const text = valid
      .replace('window: 1h', 'window: &hour 1 hour')
      .replace('window: 24h, bucket: 1h', 'window: *hour');
    expect((await problemsOf(text)).map((line) => line.split(': ')[0])).toEqual([
      'presage.yaml:16:59 features.views.window',
      'presage.yaml:16:59 features.categories.window',
    ]);
  });
});

describe('a file that is no workspace at all', () => {
  test.each([
    ['', 'presage.yaml:1:1: expected a map but found nothing.'],
    ['just text', 'presage.yaml:1:1: expected a map but found "just text".'],
    ['- a\n- b', 'presage.yaml:1:1: expected a map but found a list.'],
    [
      'a: *b',
      'presage.yaml:1:4: this is not YAML: Unresolved alias (the anchor must be set before the alias): b.',
    ],
    ['a: 1\n---\nb: 2', 'presage.yaml:2:1: this is not YAML: a second document begins here.'],
  ])('%j', async (text, problem) => {
    expect((await problemsOf(text))[0]).toBe(problem);
  });

  test('none there', async () => {
    await expect(loadWorkspace(join(folder, 'nowhere'))).rejects.toThrow(
      'nowhere/presage.yaml:1:1: expected a workspace here but there is no such file; `presage init DIR` writes one.',
    );
  });

  test('a folder of that name', async () => {
    await mkdir(join(folder, 'presage.yaml'));
    await expect(loadWorkspace(folder)).rejects.toBeInstanceOf(WorkspaceError);
  });

  test('too big to be one', async () => {
    expect(await problemsOf(`# ${'x'.repeat(1_100_000)}`)).toEqual([
      'presage.yaml:1:1: expected at most 1048576 bytes but found 1100002.',
    ]);
  });

  test('the echoes of a syntax error are not told', async () => {
    const broken = valid.replace('[banner]', '[banner').replace('name: shop', 'name: shop\nname: shop');
    expect((await problemsOf(broken)).map((line) => line.split(':').slice(1, 3).join(':'))).toEqual([
      '3:1',
      '26:5',
    ]);
  });

  test('a bomb of aliases', async () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 8; level++) {
      const [from, to] = [String.fromCharCode(96 + level), String.fromCharCode(97 + level)];
      lines.push(`${to}: &${to} [${Array.from({ length: 10 }, () => `*${from}`).join(', ')}]`);
    }
    expect((await problemsOf(lines.join('\n')))[0]).toContain('this is not YAML');
  });
});

describe('all problems come in one run', () => {
  test('in the order of the file, with those behind a wrong shape', async () => {
    const text = valid
      .replace('kind: count, of: product_viewed, window', 'kind: cout, of: product_viewed, window')
      .replace('placement: banner', 'placement: baner')
      .replace('cart_value * 0.1', 'cart_valu * 0.1');
    expect((await problemsOf(text)).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'presage.yaml:16:18 features.views.kind:',
      'presage.yaml:26:12 actions.free_shipping.value:',
      'presage.yaml:34:82 triggers.viewed.placement:',
    ]);
  });

  test('and names of members that are wrong themselves are not said to be missing', async () => {
    const text = valid.replace('expires: 5m', 'expires: never').replace('file: models', 'fil: models');
    expect((await problemsOf(text)).map((line) => line.split(' ')[1])).toEqual([
      'placements.banner.expires:',
      'models.accept.file:',
      'models.accept.fil:',
    ]);
  });

  test('the error is one that programs know', async () => {
    const error = await load('version: 2').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PresageError);
    expect(error).toMatchObject({ code: 'workspace_invalid', retriable: false });
  });
});

describe('open events', () => {
  const open = valid.replace('events: closed', 'events: open');
  test('types and properties may stay undeclared', async () => {
    const text = open
      .replace('of: cart_updated', 'of: anything')
      .replace('event.price > 10', 'event.whatever > 10')
      .replace('on: product_viewed', 'on: something');
    expect(await problemsOf(text)).toEqual([]);
  });

  test('declared ones keep their types', async () => {
    expect((await problemsOf(open.replace('event.price > 10', 'event.category > 10')))[0]).toContain(
      'no such overload: string > double',
    );
  });
});

test('an action that only requests can bring has no event to read', async () => {
  const text = valid.replace(/triggers:\n.*\n/, '').replace('views >= 2', 'event.price > 1');
  expect(await problemsOf(text)).toEqual([
    "presage.yaml:25:34 actions.free_shipping.eligible: there is no event here: no trigger leads to this action's placements.",
  ]);
});

test('features may be called like methods, but not like types', async () => {
  expect(await problemsOf(valid.replaceAll('views', 'value'))).toEqual([]);
  expect(await problemsOf(valid.replaceAll('views', 'list'))).not.toEqual([]);
});

describe('purposes', () => {
  test('a model that scores an action reads for its purpose', async () => {
    const text = valid
      .replace('    purpose: offers\n', '')
      .replace('cart_value > 30 && ', '')
      .replace('cart_value * 0.1', '1');
    expect(await problemsOf(text)).toEqual([
      'presage.yaml:37:21 models.accept.inputs[1]: cart_value may be used for offers only, and action free_shipping states no purpose.',
    ]);
  });
});

test('a link out of the folder is followed: the owner of the folder made it', async () => {
  await symlink(join(folder, 'models/accept.onnx'), join(folder, 'linked.onnx'));
  expect(await problemsOf(valid.replace('models/accept.onnx', 'linked.onnx'))).toEqual([]);
});
