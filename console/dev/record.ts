import type { Candidate, DecisionDetail, DecisionRecord } from '../../schemas/index.ts';
import { hex, makeRandom } from './random.ts';
import type { Scenario } from './scenarios.ts';

/** Ids that stand for a situation each; any other id is an offer that was accepted. */
export const decisionIds = {
  accepted: 'd_5f1c0c61d1b7a92e4a0b6c3f',
  waiting: 'd_a41be02277c08d3a9f15e6b0',
  nothing: 'd_07d2f9c3b18e46aa5c90d1e7',
  observed: 'd_c83a6e1f4b0d97725ea1c4f6',
  stopped: 'd_e19b50d4a7c2683f0d8e7b31',
  drawn: 'd_b72c95e0f3a1846d2c0e9f57',
} as const;

/** The subject whose page has something to show. */
export const demoSubject = 'a:sim-7f3a91c2e0';

const score = (acceptProbability: number, contextWeight: number, value: number, lever = 1) => ({
  acceptProbability,
  contextWeight,
  value,
  lever,
  priority: acceptProbability * contextWeight * value * lever,
});

const outranked = { stage: 'arbitration', rule: 'outranked', saw: {} } as const;
const chosen = { stage: 'chosen', rule: 'chosen', saw: {} } as const;

const shopCandidates: readonly Candidate[] = [
  {
    action: 'bundle_discount',
    score: score(0.118, 1.2, 14),
    rank: 1,
    verdict: full('bundle_discount/session', 1),
  },
  { action: 'free_shipping', score: score(0.2431, 1.2, 6.5), rank: 2, verdict: chosen },
  { action: 'ask_an_expert', score: score(0.0712, 1, 18), rank: 3, verdict: outranked },
  { action: 'size_guide', score: score(0.0093, 1, 4), rank: 4, verdict: outranked },
  {
    action: 'win_back',
    verdict: {
      stage: 'eligibility',
      rule: 'orders_90d >= 1.0 && days_away > 30.0',
      saw: { orders_90d: 0, days_away: 0.2 },
    },
  },
  {
    action: 'restock_note',
    verdict: { stage: 'eligibility', rule: 'missing: last_out_of_stock', saw: { last_out_of_stock: null } },
  },
];

function full(rule: string, limit: number): Candidate['verdict'] {
  return { stage: 'constraints', rule, saw: { used: limit, limit } };
}

const shopFeatures: DecisionRecord['features'] = {
  cart_value: 59.9,
  cart_items: 2,
  views_10m: 7,
  categories_1h: { jackets: 5, boots: 2, hats: 1 },
  last_products: ['alpine-jacket', 'trail-boot', 'alpine-jacket'],
  seconds_since_cart: 41.2,
  session_events: 19,
  fruitless_searches_30m: 3,
  last_out_of_stock: null,
  orders_90d: 0,
  days_away: 0.2,
};

function shopDecision(id: string, now: number): DecisionRecord {
  const decidedAt = now - 94_000;
  return {
    id,
    tenant: 'shop',
    subject: demoSubject,
    session: 's-5c0e7a19',
    placement: 'cart_banner',
    startedBy: {
      kind: 'trigger',
      trigger: 'cart_hesitation',
      event: 'm-01J9ZK3V7Q8S2W4B6N0XTYE5RD',
      eventType: 'Cart Viewed',
    },
    time: decidedAt - 12,
    simulated: true,
    log: { partition: 2, position: 21_407 },
    features: shopFeatures,
    context: { cart_total: 59.9, currency: 'EUR', coupon: '' },
    candidates: shopCandidates,
    available: ['free_shipping', 'ask_an_expert', 'size_guide'],
    capsSeen: [
      { cap: 'bundle_discount/session', action: 'bundle_discount', used: 1, limit: 1 },
      { cap: 'free_shipping/session', action: 'free_shipping', used: 0, limit: 1 },
      { cap: 'free_shipping/subject/7d', action: 'free_shipping', used: 2, limit: 3 },
    ],
    action: 'free_shipping',
    choicePropensity: 1,
    deterministic: true,
    rung: 'champion',
    rungReason: 'scored in time',
    model: { id: 'offer_acceptance', version: '3', sha256: hex(makeRandom(3), 64) },
    policy: hex(makeRandom(4), 32),
    workspace: '9c1f0b7be2d84a55b1c7e04d9e7f3a21',
    mode: 'act',
    purpose: 'service',
    offer: {
      content: {
        title: 'Free shipping on this order',
        body: 'Your jacket and boots travel free if you order today.',
        cta: 'Use it',
        code: 'SHIPFREE',
      },
      expiresAt: decidedAt + 600_000,
    },
    recorded: true,
    lookups: [],
    timings: { receivedAt: decidedAt - 3, decidedAt, featuresMs: 0.31, scoringMs: 0.84, totalMs: 3 },
  };
}

/** The detail of any id; null = there is none. */
export function detailOf(scenario: Scenario, id: string, now: number): DecisionDetail | null {
  if (scenario === 'empty' || id === 'd_unknown') return null;
  const decision = scenario === 'heavy' ? heavyDecision(id, now) : shopDecision(id, now);
  const none = { exposures: [], outcomes: [] };
  switch (id) {
    case decisionIds.waiting: {
      const { decidedAt } = decision.timings;
      return { decision: { ...decision, offer: { content: {}, expiresAt: decidedAt + 3_600_000 } }, ...none };
    }
    case decisionIds.observed:
      return { decision: { ...decision, mode: 'observe' }, ...none };
    case decisionIds.stopped:
      return { decision: { ...decision, mode: 'stopped' }, ...none };
    case decisionIds.drawn:
      return { decision: drawn(decision), ...none };
    case decisionIds.nothing:
      return { decision: nothing(decision), ...none };
    default: {
      const { decidedAt } = decision.timings;
      return {
        decision,
        exposures: [{ at: decidedAt + 212 }],
        outcomes: [
          { at: decidedAt + 4_780, outcome: 'accepted', value: null },
          { at: decidedAt + 71_300, outcome: 'converted', value: 59.9 },
        ],
      };
    }
  }
}

/** Three slots drawn by softmax, for someone who is held out. */
function drawn(decision: DecisionRecord): DecisionRecord {
  const order = ['bundle_discount', 'ask_an_expert', 'free_shipping', 'size_guide'];
  const shown = ['ask_an_expert', 'free_shipping', 'size_guide'];
  const notDrawn = { stage: 'exploration', rule: 'not drawn', saw: {} } as const;
  return {
    ...decision,
    candidates: decision.candidates.map((candidate) =>
      candidate.rank === undefined
        ? candidate
        : {
            ...candidate,
            drawn: order.indexOf(candidate.action) + 1,
            verdict: shown.includes(candidate.action) ? chosen : notDrawn,
          },
    ),
    action: 'ask_an_expert',
    mode: 'holdout',
    exploration: { kind: 'softmax', temperature: 0.5, uniform: 0.04 },
    holdout: { arm: 'held_out', period: '2026-Q4', share: 0.05, unit: decision.subject },
    choicePropensity: 0.214,
    deterministic: false,
    slots: shown.map((action, index) => ({
      action,
      available: shown.slice(index),
      choicePropensity: [0.214, 0.61, 1][index] ?? 1,
      marginal: [0.214, 0.402, 0.388][index] ?? 0,
      marginalError: 0,
      mode: 'holdout',
      offer: decision.offer,
    })),
    slatePropensity: 0.131,
  };
}

function nothing(decision: DecisionRecord): DecisionRecord {
  const candidates: readonly Candidate[] = decision.candidates.map(({ action, score: scored }) =>
    scored === undefined
      ? { action, verdict: { stage: 'eligibility', rule: 'orders_90d >= 1.0', saw: { orders_90d: 0 } } }
      : { action, verdict: { stage: 'eligibility', rule: 'missing: cart_value', saw: { cart_value: null } } },
  );
  return {
    ...decision,
    candidates,
    available: [],
    capsSeen: [],
    action: null,
    offer: null,
    model: null,
    rung: 'rules',
    rungReason: 'nothing to score',
    purpose: null,
    startedBy: { kind: 'request', request: 'req-7b1e22' },
    timings: { ...decision.timings, scoringMs: 0 },
  };
}

/** As long and as large as the limits of a workspace allow. */
function heavyDecision(id: string, now: number): DecisionRecord {
  const random = makeRandom(11);
  const base = shopDecision(id, now);
  const long = 'seasonal_cross_sell_of_matching_accessories_for_loyal_customers';
  const candidates: Candidate[] = Array.from({ length: 24 }, (_, index) => {
    const action = `${index === 0 ? '' : `v${index}_`}${long}`.slice(0, 64);
    if (index < 12) {
      const scored = score(0.9 / (index + 1), 1.25, 1_250_000 / (index + 1), 1.1);
      return { action, score: scored, rank: index + 1, verdict: index === 0 ? chosen : outranked };
    }
    return {
      action,
      verdict: {
        stage: 'eligibility',
        rule: `lifetime_value_in_every_channel >= ${1_000 * index}.0 && (categories_1h["outdoor_and_leisure"] > 3.0 || visits_30d > ${index}.0)`,
        saw: {
          lifetime_value_in_every_channel: 123_456.789,
          categories_1h: Object.fromEntries(
            Array.from({ length: 14 }, (_x, key) => [`category_${key}`, key * 17]),
          ),
          visits_30d: index,
        },
      },
    };
  });
  return {
    ...base,
    tenant: 'north_america_wholesale_and_retail',
    subject: `u:${hex(random, 64)}`,
    session: hex(random, 64),
    placement: 'checkout_side_panel_below_the_order_summary',
    simulated: false,
    log: { partition: 127, position: 9_007_199_254_740 },
    candidates,
    action: long.slice(0, 64),
    available: candidates.slice(0, 12).map(({ action }) => action),
    features: Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [
        `feature_number_${index}_with_a_long_descriptive_name`,
        index % 5 === 0
          ? Object.fromEntries(
              Array.from({ length: 20 }, (_x, key) => [`some_key_of_a_product_${key}`, random() * 1e6]),
            )
          : index % 7 === 0
            ? null
            : random() * 1e7,
      ]),
    ),
    capsSeen: candidates.slice(0, 8).map(({ action }, index) => ({
      cap: `${action}/subject/30d`,
      action,
      used: index,
      limit: 7,
    })),
    rung: 'rules',
    rungReason: 'the scoring budget of 20 ms was spent before this batch',
    offer: {
      content: {
        headline: 'A headline that goes on for longer than any designer would have wished for it to go on',
        image: `https://cdn.example.com/${hex(random, 120)}.webp`,
        terms: { minimum: 100, currencies: ['USD', 'CAD'], until: '2027-01-01' },
      },
      expiresAt: base.timings.decidedAt + 86_400_000,
    },
    timings: { ...base.timings, totalMs: 12_345, featuresMs: 812.4, scoringMs: 19.98 },
  };
}
