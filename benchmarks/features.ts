import { cpus } from 'node:os';
import { type FeatureEvent, makeFeatureSet, type SubjectState } from '../stream/features/index.ts';
import { config, feature, where } from '../tests/support/features.ts';
import { makeRandom, makeZipf } from './shared/random.ts';

/**
 * How fast feature state is, alone: no log, no Redis. Events and features as in W1 of benchmarks/: 20 features, 50,000
 * users by Zipf 1.1, 1% late by up to 30 s, 2 h of event time. Run it with
 *   npx esbuild benchmarks/features.ts --bundle --platform=node --format=esm --outfile=.presage/bench-features.mjs
 *   node .presage/bench-features.mjs [events] [ids] [w1|rich]
 */
const events = Number(process.argv[2] ?? 1_000_000);
const deduplicationIds = Number(process.argv[3] ?? 1_024);
const users = 50_000;
const batchSize = 500;
const second = 1_000;

const windows = {
  '1m': { bucketMs: 5 * second, buckets: 12 },
  '5m': { bucketMs: 15 * second, buckets: 20 },
  '1h': { bucketMs: 60 * second, buckets: 60 },
  '24h': { bucketMs: 3_600 * second, buckets: 24 },
};
const purchase = { of: ['purchase'], property: 'price' };
const features = Object.entries(windows).flatMap(([name, window]) => [
  feature(`count_${name}`, 'count', window),
  feature(`clicks_${name}`, 'count', { ...window, of: ['click'] }),
  feature(`spent_${name}`, 'sum', { ...window, ...purchase }),
  feature(`purchases_${name}`, 'count', { ...window, of: ['purchase'] }),
  feature(`max_price_${name}`, 'max', { ...window, property: 'price' }),
]);

/** The same with everything this release has: conditions, keys, texts, sessions. */
const rich = [
  ...features,
  feature('dear_views', 'count', {
    ...windows['1h'],
    where: where('event.price > 50', ({ price }) => Number(price) > 50),
  }),
  feature('views_by_item', 'count', { ...windows['1h'], by: 'item' }),
  feature('items', 'distinct', { ...windows['1h'], property: 'item' }),
  feature('last_item', 'last', { property: 'item' }),
  feature('last_items', 'last_n', { property: 'item', n: 5 }),
  feature('since_purchase', 'time_since', { of: ['purchase'] }),
  feature('session_events', 'session', { measure: 'count' }),
];

interface Sent {
  readonly user: number;
  readonly event: FeatureEvent;
}

function makeEvents(): Sent[] {
  const random = makeRandom(7);
  const zipf = makeZipf(users, 1.1, random);
  const epoch = 1_700_000_000_000;
  return Array.from({ length: events }, (_, i) => {
    const late = random() < 0.01 ? Math.floor(random() * 30 * second) : 0;
    const draw = random();
    const type = draw < 0.7 ? 'view' : draw < 0.9 ? 'click' : draw < 0.96 ? 'add_to_cart' : 'purchase';
    const price = Math.floor(random() * 400) / 4;
    const time = epoch + Math.floor((i / events) * 7_200 * second) - late;
    const id = `${i.toString(16).padStart(8, '0')}-5e1f-4c7a-9d3b-${(i * 7919).toString(16).padStart(12, '0')}`;
    const properties = { price, item: `item-${Math.floor(random() * 500)}` };
    return { user: zipf(), event: { id, type, time, session: null, properties } };
  });
}

/** CPU time of this process, garbage collection included: figures then don't depend on what else the machine does. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
const rate = (count: number, ms: number): string =>
  `${Math.round(count / ms).toLocaleString('en-US')} thousand per CPU second`;

function run(name: string, of: typeof features, sent: readonly Sent[]): void {
  const set = makeFeatureSet(config(of, { deduplicationIds }));
  const states = new Map<number, SubjectState>();
  let begun = cpuMs();
  for (const [position, { user, event }] of sent.entries()) {
    const state = states.get(user) ?? set.empty();
    states.set(user, state);
    set.update(state, event, position);
  }
  console.log(`${name}: ${of.length} features, ${states.size} subjects`);
  console.log(`  update                  ${rate(sent.length, cpuMs() - begun)}`);

  const all = [...states.values()];
  begun = cpuMs();
  const blobs = all.map((state) => set.encode(state));
  console.log(`  encode                  ${rate(all.length, cpuMs() - begun)}`);
  begun = cpuMs();
  for (const blob of blobs) set.decode(blob);
  console.log(`  decode                  ${rate(all.length, cpuMs() - begun)}`);
  begun = cpuMs();
  for (const state of all) set.read(state, state.newest);
  console.log(`  read (${of.length} values)        ${rate(all.length, cpuMs() - begun)}`);
  const sizes = blobs.map((blob) => blob.length).sort((a, b) => a - b);
  const [p50, p99, most] = [quantile(sizes, 0.5), quantile(sizes, 0.99), sizes.at(-1)];
  console.log(`  blob bytes by subject   p50 ${p50}, p99 ${p99}, max ${most}`);

  // As the worker does: a batch of events, each subject touched encoded once.
  const cached = new Map<number, SubjectState>();
  const written: number[] = [];
  begun = cpuMs();
  for (let from = 0; from < sent.length; from += batchSize) {
    const touched = new Set<SubjectState>();
    for (let i = from; i < Math.min(from + batchSize, sent.length); i++) {
      const { user, event } = sent[i] as Sent;
      const state = cached.get(user) ?? set.empty();
      cached.set(user, state);
      set.update(state, event, i);
      touched.add(state);
    }
    for (const state of touched) written.push(set.encode(state).length);
  }
  console.log(`  batches of ${batchSize}, cached  ${rate(sent.length, cpuMs() - begun)}`);
  written.sort((a, b) => a - b);
  console.log(`  blob bytes by write     p50 ${quantile(written, 0.5)}, p99 ${quantile(written, 0.99)}`);
}

const sent = makeEvents();
console.log(
  `${cpus()[0]?.model.trim()}, Node ${process.version}, ${events} events, ${deduplicationIds} remembered ids a subject`,
);
if (process.argv[4] !== 'rich') run('W1', features, sent);
if (process.argv[4] !== 'w1') run('W1 and the other kinds', rich, sent);
