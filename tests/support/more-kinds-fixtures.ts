import { config, event, feature } from './features.ts';

/** The kinds that came after the first blobs, with hashes of their own, so that stored blobs stay readable. */
const ring = { bucketMs: 60_000, buckets: 60 };
const step = (type: string) => ({ types: new Set([type]), where: null });
export const moreKinds = [
  feature('decay', 'decay', { bucketMs: 900_000, buckets: 96, halfLifeMs: 3_600_000, hash: 'h-decay' }),
  feature('decay_price', 'decay', {
    bucketMs: 900_000,
    buckets: 96,
    halfLifeMs: 3_600_000,
    property: 'price',
    scale: 2,
    hash: 'h-decay-price',
  }),
  feature('about', 'approx_distinct', { ...ring, property: 'item', precision: 8, hash: 'h-about' }),
  feature('about_dense', 'approx_distinct', {
    ...ring,
    property: 'session_item',
    precision: 8,
    hash: 'h-about-dense',
  }),
  feature('top', 'top_k', { ...ring, property: 'item', n: 2, keys: 8, hash: 'h-top' }),
  feature('again', 'sequence', {
    steps: [step('view'), step('click')],
    windowMs: 3_600_000,
    withinMs: 600_000,
    keys: 16,
    by: 'item',
    measure: 'count',
    hash: 'h-again',
  }),
];
export const moreKindsConfig = config(moreKinds);

const start = 1_700_000_000_000;
export const moreKindsEvents = [
  event(start, { id: 'e-1', properties: { item: 'tent', price: 129.99 } }),
  event(start + 90_000, { id: 'e-2', properties: { item: 'Schlafsack für zwei', price: 59.5 } }),
  event(start + 95_500, { id: 'e-3', type: 'click', properties: { item: 'tent', price: -5 } }),
  event(start + 30_000, { id: 'e-4', properties: { item: 'lamp', price: 400_000_000_000 } }),
  ...Array.from({ length: 300 }, (_, i) =>
    event(start + 1_000, { id: `d-${i}`, properties: { session_item: `s-${i}` } }),
  ),
];
