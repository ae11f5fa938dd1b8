import { makeTimers, type Timers } from '../../stream/features/index.ts';
import { config, event, feature } from './features.ts';

/** Every kind once, with hashes of their own, so that stored blobs of this layout stay readable. */
const ring = { bucketMs: 60_000, buckets: 60 };
const priced = { ...ring, property: 'price', scale: 2 };
export const fixtureFeatures = [
  feature('count', 'count', { ...ring, hash: 'h-count' }),
  feature('spent_by_item', 'sum', { ...priced, by: 'item', hash: 'h-sum' }),
  feature('min', 'min', { ...priced, hash: 'h-min' }),
  feature('max', 'max', { ...priced, hash: 'h-max' }),
  feature('mean', 'mean', { ...priced, hash: 'h-mean' }),
  feature('last', 'last', { property: 'item', hash: 'h-last' }),
  feature('last_price', 'last', { property: 'price', propertyType: 'number', hash: 'h-last-price' }),
  feature('last_n', 'last_n', { property: 'item', n: 2, hash: 'h-last-n' }),
  feature('distinct', 'distinct', { ...ring, property: 'item', hash: 'h-distinct' }),
  feature('time_since', 'time_since', { of: ['click'], hash: 'h-time-since' }),
  feature('session_count', 'session', { measure: 'count', hash: 'h-session-count' }),
  feature('session_duration', 'session', { measure: 'duration', hash: 'h-session-duration' }),
];
export const fixtureConfig = config(fixtureFeatures);

const start = 1_700_000_000_000;
/** A short story: two views, a click in a tab, a late view, a day before, in euros and cents. */
export const fixtureEvents = [
  event(start, { id: 'e-1', properties: { item: 'tent', price: 129.99 } }),
  event(start + 90_000, { id: 'e-2', properties: { item: 'Schlafsack für zwei', price: 59.5 } }),
  event(start + 95_500, {
    id: 'e-3',
    type: 'click',
    session: 'tab-1',
    properties: { item: 'tent', price: -5 },
  }),
  event(start + 30_000, { id: 'e-4', properties: { item: 'lamp', price: 1_000_000_000 } }),
  event(start - 80_000_000, { id: 'e-0', properties: { item: 'rope' } }),
];

/** What the story's subject waits for: two carts, one of them paid, a condition that cools down, two sessions told. */
export const fixtureTimers = (): Timers => ({
  ...makeTimers(),
  pending: [{ trigger: 'left', key: 'cart-1', from: start, due: start + 600_000, isSimulated: true }],
  marks: [
    { trigger: 'left', key: 'cart-1', after: start, absent: [], until: start + 4_200_000 },
    {
      trigger: 'left',
      key: 'cart-ü',
      after: -Infinity,
      absent: [start - 5, start + 7],
      until: start + 4_200_007,
    },
  ],
  held: [
    { trigger: 'full', isTrue: true, firedAt: start + 90_000 },
    { trigger: 'slow', isTrue: false, firedAt: -Infinity },
  ],
  ended: [
    { name: null, last: start - 80_000_000 },
    { name: 'tab-0', last: start - 10 },
  ],
  isSimulated: true,
});
export const fixtureIndexed = start + 600_000;
