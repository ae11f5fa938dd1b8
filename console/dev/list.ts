import type { DecisionList, SubjectFeatures } from '../../schemas/index.ts';
import { hex, makeRandom, pick } from './random.ts';
import { decisionIds, demoSubject, detailOf } from './record.ts';
import type { Scenario } from './scenarios.ts';

type Row = DecisionList['decisions'][number];
const total = 120;

/** A page of invented decisions, filtered and paged as the gateway does. */
export function listOf(scenario: Scenario, search: URLSearchParams, now: number): DecisionList {
  if (scenario === 'empty') return { decisions: [], next: null };
  const limit = Number(search.get('limit') ?? 50);
  const before = Number(search.get('before') ?? Number.MAX_SAFE_INTEGER);
  const wanted = (['tenant', 'placement', 'action', 'subject'] as const).flatMap((name) => {
    const value = search.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  const rows = Array.from({ length: total }, (_, index) => row(scenario, index, now)).filter(
    (found) => found.at < before && wanted.every(([name, value]) => found[name] === value),
  );
  const page = rows.slice(0, limit);
  return { decisions: page, next: rows.length > limit ? (page.at(-1)?.at ?? null) : null };
}

const actions = ['free_shipping', 'ask_an_expert', 'size_guide', 'bundle_discount', null] as const;
const outcomes = ['accepted', 'dismissed', 'converted', 'ignored', null, null, null] as const;

function row(scenario: Scenario, index: number, now: number): Row {
  const random = makeRandom(index + 17);
  const isHeavy = scenario === 'heavy';
  const action = pick(random, actions);
  const mode = scenario === 'stopped' && index < 9 ? 'stopped' : random() < 0.08 ? 'observe' : 'act';
  return {
    id: Object.values(decisionIds)[index] ?? `d_${hex(random, 24)}`,
    // On a grid, so that paging by time is stable while the clock goes on.
    at: Math.floor(now / 60_000) * 60_000 - index * (isHeavy ? 7_919_000 : 4_217),
    tenant: isHeavy ? pick(random, ['north_america_wholesale_and_retail', 'emea', 'japan']) : 'shop',
    subject: isHeavy ? `u:${hex(random, 64)}` : visitor(index, random),
    placement: isHeavy
      ? 'checkout_side_panel_below_the_order_summary'
      : pick(random, ['cart_banner', 'product_help']),
    action:
      isHeavy && action !== null ? 'seasonal_cross_sell_of_matching_accessories_for_loyal_customers' : action,
    mode,
    rung: random() < 0.93 ? 'champion' : 'rules',
    acceptProbability: action === null ? null : random() * 0.4,
    candidates: isHeavy ? 200 : 6,
    simulated: !isHeavy && index % 9 !== 4,
    outcome: action === null || mode !== 'act' ? null : pick(random, outcomes),
  };
}

function visitor(index: number, random: () => number): string {
  if (index % 9 === 4) return `a:${hex(random, 12)}`;
  return index % 13 === 0 ? demoSubject : `a:sim-${hex(random, 10)}`;
}

export function featuresOf(scenario: Scenario, subject: string, now: number): SubjectFeatures | null {
  const detail = detailOf(scenario, decisionIds.accepted, now);
  if (detail === null || subject === 'u:nobody') return null;
  const { features } = detail.decision;
  return {
    subject,
    at: now,
    position: 21_431,
    features:
      scenario === 'heavy' ? features : { ...features, session_events: 19 + (Math.floor(now / 4_000) % 40) },
  };
}
