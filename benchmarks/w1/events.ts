import { partitionOf } from '../../core/index.ts';
import { makeRandom, makeZipf } from '../shared/random.ts';

/**
 * The stream of W1: 50,000 users by Zipf 1.1, 1% of the events late by up to 30 s, 2 h of event time, 70% view, 20%
 * click, 6% add_to_cart, 4% purchase, prices in multiples of 0.25. The same seed gives the same bytes.
 */
export const w1 = {
  events: 1_000_000,
  users: 50_000,
  partitions: 4,
  epoch: Date.UTC(2026, 0, 1),
  spanMs: 7_200_000,
  seed: 7,
} as const;

export const types = ['view', 'click', 'add_to_cart', 'purchase'] as const;

export interface W1Event {
  readonly user: string;
  readonly partition: number;
  readonly type: (typeof types)[number];
  readonly time: number;
  /** Price in quarters. */
  readonly quarters: number;
  readonly value: Buffer;
}

/** What other benchmarks change of the stream: how many users, and over which event time how many events go. */
export interface W1Stream {
  readonly users: number;
  readonly epoch: number;
  readonly events: number;
  readonly spanMs: number;
}

/** Events in the order in which they are appended. `schemaOf` gives the hash that goes with a type's records. */
export function* w1Events(
  schemaOf: (type: string) => string,
  count: number = w1.events,
  stream: W1Stream = w1,
): Generator<W1Event> {
  const random = makeRandom(w1.seed);
  const zipf = makeZipf(stream.users, 1.1, random);
  const partitions = new Map<string, number>();
  const schemas = types.map(schemaOf);
  for (let i = 0; i < count; i++) {
    const user = `user-${String(zipf()).padStart(5, '0')}`;
    let partition = partitions.get(user);
    if (partition === undefined) {
      partition = partitionOf(user, w1.partitions);
      partitions.set(user, partition);
    }
    const draw = random();
    const typeAt = draw < 0.7 ? 0 : draw < 0.9 ? 1 : draw < 0.96 ? 2 : 3;
    const type = types[typeAt] ?? 'view';
    const lateMs = random() < 0.01 ? Math.floor(random() * 30_000) : 0;
    const time = stream.epoch + Math.floor((i / stream.events) * stream.spanMs) - lateMs;
    const quarters = 1 + Math.floor(random() * 400);
    const item = Math.floor(random() * 500);
    const id = `${hex(i, 8)}-5e1f-4c7a-9d3b-${hex(Math.floor(random() * 2 ** 32), 12)}`;
    const text = `{"v":1,"id":"${id}","tenant":"acme","type":"${type}","userId":"${user}","time":${time},"properties":{"price":${quarters / 4},"item":"item-${item}"},"source":"http","schema":"${schemas[typeAt]}"}`;
    yield { user, partition, type, time, quarters, value: Buffer.from(text) };
  }
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
