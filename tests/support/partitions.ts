import type { DecisionRecord } from '../../schemas/index.ts';
import type { Program } from './program.ts';
import { seededRandom } from './trivago.ts';

const start = Date.UTC(2026, 0, 15);
const items = ['tent', 'lamp', 'rope'];
const stepMs = 2_000;

/**
 * A seeded log in the order of event time, as NDJSON, for the workspace tests/workspaces/partitions: users who look
 * and decide, carts with and without orders, and visitors who become users in the middle and are still called by their
 * anonymous id after it. At its end enough people come back a day later that every partition's timers fire.
 */
export function partitionsLog(events: number, seed = 5): readonly string[] {
  const random = seededRandom(seed);
  const upTo = (n: number): number => Math.floor(random() * n);
  const people = Math.ceil(events / 30);
  const lines: string[] = [];
  const add = (index: number, type: string, who: object, properties: object): void => {
    lines.push(JSON.stringify({ id: `e${index}`, type, ...who, time: start + index * stepMs, properties }));
  };
  const last = events - 100;
  for (let index = 0; index < last; index++) {
    const item = items[upTo(items.length)];
    const price = upTo(40) / 4;
    if (random() < 0.3) {
      // Visitors: what they do is counted, and decides nothing.
      const visitor = upTo(Math.ceil(people / 3));
      const isIdentified = index > last * (0.05 + (2.4 * visitor) / people);
      const anonymousId = `v${visitor}`;
      if (isIdentified && random() < 0.1) add(index, 'identify', { userId: `k${visitor}`, anonymousId }, {});
      else add(index, 'page', { anonymousId }, { item, price });
      continue;
    }
    const userId = `p${upTo(people)}`;
    const draw = random();
    if (draw < 0.8) add(index, 'view', { userId }, { item, price });
    else if (draw < 0.92) add(index, 'cart', { userId }, { item });
    else add(index, 'order', { userId }, { item });
  }
  for (let index = last; index < events; index++)
    lines.push(
      JSON.stringify({
        id: `e${index}`,
        type: 'page',
        userId: `z${index}`,
        time: start + 20 * 3_600_000 + index * stepMs,
        properties: { item: 'tent', price: 0 },
      }),
    );
  return lines;
}

/** By subject, what a batch over the whole log counts: of users, and of visitors who became users. */
export function partitionsReference(lines: readonly string[]): Map<string, Record<string, number>> {
  const all = new Map<string, Record<string, number>>();
  const users = new Map<string, string>();
  const events = lines.map(
    (line) =>
      JSON.parse(line) as {
        type: string;
        userId?: string;
        anonymousId?: string;
        properties: { price?: number };
      },
  );
  for (const { type, userId, anonymousId } of events)
    if (type === 'identify' && userId && anonymousId) users.set(anonymousId, userId);
  for (const { type, userId, anonymousId, properties } of events) {
    const owner = userId ?? users.get(anonymousId ?? '');
    const subject = owner === undefined ? `a:${anonymousId}` : `u:${owner}`;
    const counts = all.get(subject) ?? { views: 0, spent: 0, pages: 0, read: 0 };
    all.set(subject, counts);
    const price = properties.price ?? 0;
    if (type === 'view') {
      counts.views = (counts.views ?? 0) + 1;
      counts.spent = (counts.spent ?? 0) + price;
    } else if (type === 'page') {
      counts.pages = (counts.pages ?? 0) + 1;
      counts.read = (counts.read ?? 0) + price;
    }
  }
  return all;
}

/** The same of what is served. */
export function countsOf({ features }: PartitionsOutcome): Map<string, Record<string, number>> {
  return new Map(
    Object.entries(features).map(([subject, json]) => {
      const { views, spent, pages, read } = JSON.parse(json) as Record<string, number | null>;
      return [subject, { views: views ?? 0, spent: spent ?? 0, pages: pages ?? 0, read: read ?? 0 }];
    }),
  );
}

/** What must be the same however often the partitions became others. */
export interface PartitionsOutcome {
  readonly events: readonly [count: number, ids: number];
  readonly decisions: Readonly<Record<string, string>>;
  readonly features: Readonly<Record<string, string>>;
}

/** All but when and where, and what others did at that moment. */
function contentOf({ timings: _timings, log: _log, shared: _shared, ...content }: DecisionRecord): string {
  const { all_views: _all, item_views: _items, ...features } = content.features;
  return JSON.stringify({ ...content, features });
}

export async function outcomeOf(program: Program): Promise<PartitionsOutcome> {
  const [events] = await program.sql<{ n: number; ids: number }>(
    'SELECT toInt32(count()) AS n, toInt32(uniqExact(id)) AS ids FROM events',
  );
  const decisions = await program.sql<{ id: string; record: string }>(
    'SELECT id, record FROM decisions ORDER BY id',
  );
  const subjects = await program.sql<{ subject: string }>(
    'SELECT DISTINCT subject FROM events ORDER BY subject',
  );
  const features: Record<string, string> = {};
  for (const { subject } of subjects) {
    const answer = await program.ask<{ features: unknown }>(
      `/api/subjects/${encodeURIComponent(subject)}/features?at=newest&tenant=acme`,
    );
    features[subject] = JSON.stringify(answer.features);
  }
  return {
    events: [events?.n ?? 0, events?.ids ?? 0],
    decisions: Object.fromEntries(
      decisions.map(({ id, record }) => [id, contentOf(JSON.parse(record) as DecisionRecord)]),
    ),
    features,
  };
}
