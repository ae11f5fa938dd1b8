import type { LiveMessage } from '../../schemas/index.ts';
import { hex, makeRandom, pick } from './random.ts';
import { demoSubject } from './record.ts';
import type { Scenario } from './scenarios.ts';

const types = ['Product Viewed', 'Product List Viewed', 'page', 'Cart Viewed', 'Product Added'] as const;
const products = ['alpine-jacket', 'trail-boot', 'wool-hat', 'rain-shell'] as const;

/** Endless messages, the same in every run but for their times. */
export function makeMessages(scenario: Scenario, now: () => number): () => readonly LiveMessage[] {
  const random = makeRandom(5);
  const isHeavy = scenario === 'heavy';
  const visitors = Array.from({ length: 12 }, (_, index) =>
    isHeavy ? `u:${hex(random, 64)}` : visitor(index, random),
  ) as [string, ...string[]];
  const views = new Map<string, number>();

  function step(): readonly LiveMessage[] {
    const subject = pick(random, visitors);
    const simulated = subject.startsWith('a:sim-');
    const tenant = isHeavy ? pick(random, ['north_america_wholesale_and_retail', 'emea', 'japan']) : 'shop';
    const head = { at: now(), tenant, subject, simulated };
    const type = pick(random, types);
    const event: LiveMessage = {
      kind: 'event',
      ...head,
      type: isHeavy ? `Checkout Step Completed On A Page Whose Name Is Long ${type}` : type,
      properties: isHeavy
        ? Object.fromEntries(Array.from({ length: 12 }, (_, key) => [`property_${key}`, hex(random, 40)]))
        : type === 'page'
          ? { path: '/jackets' }
          : { product: pick(random, products), price: Math.round(random() * 12_000) / 100 },
      declared: random() > 0.03,
    };
    if (random() > 0.24) return random() < 0.01 && isHeavy ? [event, dead(head.at)] : [event];
    const seen = (views.get(subject) ?? 0) + 1;
    views.set(subject, seen);
    const action = pick(random, ['free_shipping', 'ask_an_expert', 'size_guide', null]);
    const id = `d_${hex(random, 24)}`;
    const decision: LiveMessage = {
      kind: 'decision',
      ...head,
      id,
      placement: 'cart_banner',
      action,
      mode: scenario === 'stopped' ? 'stopped' : 'act',
      features: {
        cart_value: Math.round(random() * 9_000) / 100,
        views_10m: seen,
        last_product: pick(random, products),
      },
      totalMs: 1 + Math.round(random() * 4),
    };
    if (action === null || scenario === 'stopped') return [event, decision];
    const follows: LiveMessage[] = [event, decision, { kind: 'pushed', ...head, decision: id, action }];
    if (random() < 0.8) follows.push({ kind: 'exposure', ...head, decision: id, action, what: 'shown' });
    if (random() < 0.5) {
      follows.push({
        kind: 'outcome',
        ...head,
        decision: id,
        action,
        what: pick(random, ['accepted', 'dismissed', 'converted']),
      });
    }
    return follows;
  }
  return step;
}

function visitor(index: number, random: () => number): string {
  if (index === 0) return `a:${hex(random, 12)}`;
  return index === 1 ? demoSubject : `a:sim-${hex(random, 10)}`;
}

const dead = (at: number): LiveMessage => ({
  kind: 'dead',
  at,
  code: 'not_json',
  message: 'The record is not JSON: unexpected end of input at byte 311.',
});
