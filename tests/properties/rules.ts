import type { FeatureEvent } from '../../stream/features/port.ts';
import type { Choice } from '../reference/caps.ts';
import { referenceSession, referenceValue } from '../reference/features.ts';
import type { Features, StreamRules } from '../reference/stream.ts';
import { workspace } from './world.ts';

const second = 1_000;
const featureRules = { sessionGapMs: 60 * second, deduplicationMs: workspace.deduplicationMs };

/** Values of all features from their definitions; what is derived from them comes after them. */
export function valuesOf(events: readonly FeatureEvent[], at: number, only?: string): Features {
  const stored = workspace.features.filter(
    ({ name, derived }) => derived === null && (only === undefined || name === only),
  );
  const values = Object.fromEntries(
    stored.map((each) => [each.name, referenceValue(each, events, at, featureRules)]),
  );
  return { ...values, conversion: values.carts === 0 ? 0 : Number(values.orders) / Number(values.carts) };
}

/** tests/workspaces/stories/presage.yaml once more, by hand. */
export const rulesFor = (ttlMs: number): StreamRules => ({
  delayMs: 5 * second,
  gapMs: 60 * second,
  defaultLatenessMs: 3_600 * second,
  latenessMs: { view: 30 * second, cart: 30 * second, order: 30 * second, identify: 30 * second },
  ttlMs,
  linkUseMs: Math.min(86_400 * second, ttlMs / 8),
  pendingMs: 600 * second,
  placement: 'banner',
  sessionEnd: 'over',
  absences: [
    {
      name: 'abandoned',
      after: 'cart',
      absent: 'order',
      withinMs: 40 * second,
      keptMs: 70 * second,
      keyOf: () => '',
      counts: () => true,
    },
    {
      name: 'this_cart',
      after: 'cart',
      absent: 'order',
      withinMs: 35 * second,
      keptMs: 65 * second,
      keyOf: ({ properties }) => `${properties.id}`,
      counts: ({ properties }) => Number(properties.value) > 10,
    },
  ],
  onEvent: [
    { name: 'viewed', type: 'view', when: ({ properties }) => Number(properties.price) > 50 },
    { name: 'signed_in', type: 'identify', when: () => true },
  ],
  conditions: [
    { name: 'dear', reads: 'price', when: (price) => Number(price) > 50, cooldownMs: null },
    { name: 'stays_dear', reads: 'price', when: (price) => Number(price) > 70, cooldownMs: 20 * second },
  ],
  actions: ({ views, orders }, session, at): Choice[] => [
    ...(Number(views) >= 2
      ? [
          {
            action: 'first',
            caps: [
              { cap: 'first', session: session ?? '', windowMs: null, limit: 1, at },
              { cap: 'first', session: null, windowMs: 600 * second, limit: 2, at },
            ],
          },
        ]
      : []),
    { action: 'second', caps: [{ cap: 'second', session: null, windowMs: 120 * second, limit: 3, at }] },
    ...(Number(orders) > 0 ? [{ action: 'always', caps: [] }] : []),
  ],
  features: valuesOf,
  session: (events) => {
    const ordinary = events.filter(({ type }) => !type.startsWith('$'));
    if (ordinary.length === 0) return null;
    return (
      referenceSession(ordinary, Math.max(...ordinary.map(({ time }) => time)), featureRules)?.id ?? null
    );
  },
});
