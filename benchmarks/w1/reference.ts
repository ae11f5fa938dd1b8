import { createHash } from 'node:crypto';
import type { W1Event } from './events.ts';

/**
 * The final vectors of W1 worked out in one go, by other means than the product: all events of a user are kept, and
 * each window is one pass over them. A vector is of the user's newest event time; its 20 numbers are in the order
 * of the workspace, sums and maxima in quarters, `-` for none.
 */
const second = 1_000;
const windows = [
  { bucketMs: 5 * second, buckets: 12 },
  { bucketMs: 15 * second, buckets: 20 },
  { bucketMs: 60 * second, buckets: 60 },
  { bucketMs: 3_600 * second, buckets: 24 },
];

export class Reference {
  readonly #users = new Map<string, { times: number[]; types: string[]; quarters: number[] }>();

  add({ user, time, type, quarters }: W1Event): void {
    let events = this.#users.get(user);
    if (events === undefined) {
      events = { times: [], types: [], quarters: [] };
      this.#users.set(user, events);
    }
    events.times.push(time);
    events.types.push(type);
    events.quarters.push(quarters);
  }

  vectors(): Map<string, string> {
    const vectors = new Map<string, string>();
    for (const [user, { times, types, quarters }] of this.#users) {
      const newest = times.reduce((a, b) => Math.max(a, b), 0);
      const columns: (number | '-')[][] = [[], [], [], [], []];
      for (const { bucketMs, buckets } of windows) {
        const head = Math.floor(newest / bucketMs);
        let [count, clicks, spent, purchases, most] = [0, 0, 0, 0, 0];
        for (const [i, time] of times.entries()) {
          if (Math.floor(time / bucketMs) <= head - buckets) continue;
          const price = quarters[i] ?? 0;
          count++;
          if (types[i] === 'click') clicks++;
          if (types[i] === 'purchase') {
            purchases++;
            spent += price;
          }
          most = Math.max(most, price);
        }
        for (const [at, value] of [count, clicks, spent, purchases, count === 0 ? '-' : most].entries())
          columns[at]?.push(value as number | '-');
      }
      vectors.set(user, [newest, ...columns.flat()].join(','));
    }
    return vectors;
  }
}

/** SHA-256 over `user:newest,v1,...,v20` lines in the order of users. */
export function digestOf(vectors: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const user of [...vectors.keys()].sort()) hash.update(`${user}:${vectors.get(user)}\n`);
  return hash.digest('hex');
}
