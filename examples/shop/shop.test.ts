import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Logger } from '../../core/index.ts';
import { loadScorers, type Scorers, scorerMetrics } from '../../scorers/index.ts';
import { decideAll } from '../../stream/decide.ts';
import { makeFeatureSet } from '../../stream/features/index.ts';
import { type CompiledWorkspace, loadWorkspace } from '../../workspace/index.ts';

type Step = readonly [type: string, properties: Readonly<Record<string, unknown>>];

const clock = { now: () => 0, monotonic: () => 0 };
const logger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };
const product = (category: string, number: number, price: number) => ({
  sku: `${category}-${number}`,
  category,
  price,
});
const view = (category: string, number: number, price: number): Step => [
  'product_viewed',
  product(category, number, price),
];

describe('a visit to the demo shop', () => {
  let workspace: CompiledWorkspace;
  let scorers: Scorers | undefined;
  beforeAll(async () => {
    workspace = await loadWorkspace(dirname(fileURLToPath(import.meta.url)));
    scorers = await loadScorers(workspace, { clock, logger, metrics: scorerMetrics(new Registry()) });
  });
  afterAll(() => scorers?.close());

  /** What each step brings, `null` where nothing is offered; caps are kept here as the commit would keep them. */
  async function visit(steps: readonly Step[]): Promise<(string | null)[]> {
    const features = makeFeatureSet(workspace);
    const state = features.empty();
    const taken = new Map<string, number>();
    const offers: (string | null)[] = [];
    for (const [position, [type, properties]] of steps.entries()) {
      const time = Date.UTC(2026, 0, 5) + position * 15_000;
      features.update(state, { id: `e${position}`, type, time, session: 's', properties }, position);
      const scope = { features: features.read(state, time), event: properties, action: null, context: null };
      let offer: string | null = null;
      for (const trigger of workspace.triggersByType.get(type) ?? []) {
        const condition = trigger.when?.evaluate(scope) ?? { kind: 'value', value: true };
        expect(condition.kind, trigger.name).not.toBe('error');
        if (condition.kind !== 'value' || !condition.value) continue;
        const [draft] = await decideAll(
          [
            {
              id: `d${position}`,
              tenant: 'shop',
              subject: 'a:demo',
              session: 's',
              placement: trigger.placement,
              startedBy: { kind: 'trigger', trigger: trigger.name, event: `e${position}`, eventType: type },
              time,
              simulated: false,
              log: { partition: 0, position },
              features: scope.features,
              event: properties,
              context: null,
              receivedAt: time,
              workspace: workspace.hash,
              stopped: false,
              featuresMs: 0,
            },
          ],
          { scorers: scorers!, scoringBudgetMs: 1_000, clock },
        );
        const choice = draft?.choices.find(({ caps }) =>
          caps.every(({ cap, limit }) => (taken.get(cap) ?? 0) < limit),
        );
        for (const { cap } of choice?.caps ?? []) taken.set(cap, (taken.get(cap) ?? 0) + 1);
        if (choice !== undefined)
          offer = choice.mode === 'act' ? choice.action : `${choice.action} (${choice.mode})`;
      }
      offers.push(offer);
    }
    return offers;
  }

  const looking = ['shoes', 'clothing', 'bags', 'outdoor', 'accessories'].flatMap((category) =>
    [1, 2, 3, 4].map((number) => view(category, number, 20 * number)),
  );

  it.each([0, 1, 2, 3, 4])('brings an offer within four clicks, wherever one begins (%i)', async (from) => {
    const offers = await visit(looking.slice(from * 4));
    expect(offers.slice(0, 4).filter((offer) => offer !== null)).not.toHaveLength(0);
  });

  it('brings an offer to who clicks through one product of each category', async () => {
    const offers = await visit(['shoes', 'bags', 'outdoor'].map((category) => view(category, 1, 60)));
    expect(offers).toEqual([null, null, 'ten_percent']);
  });

  it('brings others later, and then leaves one in peace', async () => {
    const offers = (await visit([...looking, ...looking, ...looking])).filter((offer) => offer !== null);
    expect(new Set(offers).size).toBeGreaterThanOrEqual(3);
    expect(offers.length).toBeLessThanOrEqual(6);
  });

  it('suggests something as soon as a product is put into the cart', async () => {
    const bag = product('bags', 1, 70);
    const [, offer] = await visit([view('bags', 1, 70), ['product_added', { ...bag, quantity: 1 }]]);
    expect(offer).toBe('bundle');
  });

  it('decides on live help after fruitless searches, and shows it to nobody', async () => {
    const search: Step = ['search', { query: 'left-handed boots', results: 0 }];
    expect(await visit([search, search, search])).toEqual([null, 'live_help (observe)', null]);
  });
});
