import { seededRandom } from './trivago.ts';

interface Line {
  readonly id: string;
  readonly type: string;
  readonly userId: string;
  readonly time: number;
  readonly session?: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

const start = Date.UTC(2026, 0, 15);
const items = ['tent', 'lamp', 'rope', 'Schlafsack für zwei', '😀'];

/**
 * A seeded log in the order of arrival, as NDJSON for `feed --order file`: people with visits and named sessions over
 * six hours, half of the events late by up to half an hour, one in twenty sent twice.
 */
export function seededParityLog(events: number, seed = 11): { lines: readonly string[]; repeats: number } {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const arrivals: { readonly line: Line; readonly at: number }[] = [];
  const people = Math.ceil(events / 30);
  for (let index = 0; index < events; index++) {
    const person = Math.floor(random() * people);
    const time =
      start + Math.floor(random() * 6 * 3_600) * 1_000 + (random() < 0.3 ? Math.floor(random() * 1_000) : 0);
    const late = random() < 0.5 ? Math.floor(random() * 1_800_000) : 0;
    const session = random() < 0.4 ? { session: `s${person}-${Math.floor((time - start) / 3_600_000)}` } : {};
    const price = pick([
      12.25,
      99.995,
      0.29,
      1.005,
      -5,
      1_000_000,
      undefined,
      Math.round(random() * 10_000) / 100,
    ]);
    const properties = { item: pick(items), price, note: pick(['a', 'aa', 'b', undefined]) };
    const line = {
      id: `e${index}`,
      type: random() < 0.7 ? 'view' : 'click',
      userId: `p${person}`,
      time,
      ...session,
      properties,
    };
    arrivals.push({ line, at: time + late });
    if (random() < 0.05) arrivals.push({ line, at: time + late + 60_000 });
  }
  const lines = arrivals.sort((a, b) => a.at - b.at).map(({ line }) => JSON.stringify(line));
  return { lines, repeats: lines.length - events };
}

/**
 * A seeded log in the order of arrival: each event is a user's own or one of an anonymous id's, and now and then an
 * anonymous id becomes a user, the same one again or another. A third of the events are late, some are sent twice.
 */
export function seededIdentityLog(
  events: number,
  seed = 12,
): { lines: readonly string[]; identified: number } {
  const random = seededRandom(seed);
  const upTo = (n: number): number => Math.floor(random() * n);
  const people = Math.ceil(events / 40);
  const lines: string[] = [];
  let identified = 0;
  for (let index = 0; index < events; index++) {
    const person = `p${upTo(people)}`;
    const visitor = `v${upTo(people * 2)}`;
    const time = start + index * 10_000 - (random() < 0.33 ? upTo(1_800_000) : 0);
    const isIdentify = random() < 0.08;
    if (isIdentify) identified++;
    const who = isIdentify
      ? { userId: person, anonymousId: visitor }
      : random() < 0.6
        ? { anonymousId: visitor }
        : { userId: person };
    const type = isIdentify ? 'identify' : random() < 0.7 ? 'view' : 'click';
    const properties = isIdentify ? {} : { item: items[upTo(items.length)], price: upTo(10_000) / 100 };
    lines.push(JSON.stringify({ id: `i${index}`, type, ...who, time, properties }));
    if (random() < 0.05) lines.push(lines.at(-1) as string);
  }
  return { lines, identified };
}
