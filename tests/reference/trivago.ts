import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';

/**
 * The features of examples/travel computed from the CSV itself, once per user, by the plainest code that follows the
 * definitions. Imports nothing of the engine: what it agrees with is not a copy of it.
 */
type Row = Readonly<Record<string, string>>;

interface Click {
  readonly id: string;
  readonly time: number;
  readonly session: string;
  readonly type: string;
  readonly city: string;
  readonly device: string;
  readonly reference: string | null;
  readonly price: number | null;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const looks = new Set(['image', 'rating', 'info', 'deals'].map((what) => `interaction item ${what}`));
const isLook = (click: Click) => looks.has(click.type);
const isClickout = (click: Click) => click.type === 'clickout item';

export interface Reference {
  /** Every exact feature. Absent values are null. */
  readonly exact: Record<string, unknown>;
  readonly approximated: { readonly interest: number; readonly looks: number; readonly hotels_7d: number };
}

/** The features of every user, at the time of that user's newest event. */
export function referenceFeatures(csvPath: string): Map<string, Reference> {
  const byUser = new Map<string, Click[]>();
  for (const [user, click] of readClicks(csvPath)) {
    const clicks = byUser.get(user);
    if (clicks === undefined) byUser.set(user, [click]);
    else clicks.push(click);
  }
  return new Map(
    [...byUser].map(([user, clicks]) => [
      user,
      { exact: featuresOf(clicks), approximated: exactlyOf(clicks) },
    ]),
  );
}

function featuresOf(clicks: readonly Click[]): Record<string, unknown> {
  const newestFirst = [...clicks].sort((a, b) => b.time - a.time || (a.id < b.id ? 1 : -1));
  const now = newestFirst[0]!.time;
  const within = (length: number) => newestFirst.filter((click) => isInWindow(click.time, now, length));
  const session = sessionAt(clicks);

  const clickouts = within(day).filter(isClickout);
  const prices = clickouts.flatMap((click) => click.price ?? []);
  const seen = (click: Click) => (isLook(click) || isClickout(click)) && click.reference !== null;
  const lastClickout = newestFirst.find(isClickout);
  const looks1d = within(day).filter(isLook).length;
  const hotels1h = new Set(
    within(hour)
      .filter(seen)
      .map((click) => click.reference),
  ).size;
  return {
    looks_10m: within(10 * minute).filter(isLook).length,
    events_1h: within(hour).length,
    events_by_city: mapByCity(within(day), (some) => some.length),
    clickouts_1d: clickouts.length,
    cheap_clickouts_1d: prices.filter((price) => price < 80).length,
    filters_30m: within(30 * minute).filter((click) => click.type === 'filter selection').length,
    hotels_1h: hotels1h,
    recent_hotels: newestFirst
      .filter(seen)
      .slice(0, 5)
      .map((click) => click.reference),
    last_city: newestFirst[0]!.city,
    last_device: newestFirst[0]!.device,
    last_price: newestFirst.find((click) => isClickout(click) && click.price !== null)?.price ?? null,
    mean_price_1d: mean(prices),
    lowest_price_1d: prices.length === 0 ? null : Math.min(...prices),
    highest_price_1d: prices.length === 0 ? null : Math.max(...prices),
    clicked_value_1d: sum(prices),
    mean_price_by_city: mapByCity(
      clickouts.filter((click) => click.price !== null),
      (some) => mean(some.flatMap((click) => click.price ?? [])),
    ),
    since_clickout: lastClickout === undefined ? null : (now - lastClickout.time) / second,
    session_events: session.length,
    session_looks: session.filter(isLook).length,
    session_clickouts: session.filter(isClickout).length,
    session_seconds: (now - Math.min(...session.map((click) => click.time))) / second,
    top_cities: topCities(newestFirst.filter((click) => isInWindow(click.time, now, day, 24))),
    read_then_clicked_1d: readThenClicked(newestFirst.filter((click) => click.time > now - day).toReversed()),
    looks_1d: looks1d,
    clickouts_by_look: looks1d === 0 ? null : clickouts.length / looks1d,
    is_comparing: hotels1h >= 3 && within(10 * minute).filter(isLook).length >= 5,
  };
}

/** What approximate features approximate. */
function exactlyOf(clicks: readonly Click[]): Reference['approximated'] {
  const now = Math.max(...clicks.map((click) => click.time));
  const inWeek = clicks.filter(
    (click) => isInWindow(click.time, now, 7 * day, 7) && click.reference !== null,
  );
  return {
    interest: sum(clicks.filter(isLook).map((click) => 0.5 ** ((now - click.time) / (10 * minute)))),
    looks: clicks.filter(isLook).length,
    hotels_7d: new Set(inWeek.map((click) => click.reference)).size,
  };
}

/** The three most frequent; of equally frequent ones the first in code point order. */
function topCities(clicks: readonly Click[]): string[] {
  const counts = Object.entries(mapByCity(clicks, (some) => some.length));
  counts.sort(([a, x], [b, y]) => y - x || Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return counts.slice(0, 3).map(([city]) => city);
}

const reads = new Set(['rating', 'info', 'deals'].map((what) => `interaction item ${what}`));

/** How often a hotel was read about and then, within 30 minutes, left for; a click-out ends what led to it. */
function readThenClicked(oldestFirst: readonly Click[]): number {
  const readAt = new Map<string, number>();
  let count = 0;
  for (const { reference, type, time } of oldestFirst) {
    if (reference === null) continue;
    if (reads.has(type)) readAt.set(reference, time);
    const read = readAt.get(reference);
    if (type !== 'clickout item' || read === undefined || time - read > 30 * minute) continue;
    count++;
    readAt.delete(reference);
  }
  return count;
}

/** The value at `now` covers as many buckets, of equal length, as there are: up to and with that of `now`. */
function isInWindow(time: number, now: number, length: number, buckets = 60): boolean {
  const bucketMs = length / buckets;
  const bucket = Math.floor(time / bucketMs);
  const head = Math.floor(now / bucketMs);
  return bucket > head - buckets && bucket <= head;
}

/**
 * The events of the current session: of all sessions the one with the newest event (then the one that began last, then
 * by id). A session that was silent for over 24 h and speaks again is a new one of the same name.
 */
function sessionAt(clicks: readonly Click[]): readonly Click[] {
  const sessions: Click[][] = [];
  for (const id of new Set(clicks.map((click) => click.session))) {
    const own = clicks.filter((click) => click.session === id).sort((a, b) => a.time - b.time);
    own.forEach((click, index) => {
      const before = own[index - 1];
      if (before === undefined || click.time - before.time > day) sessions.push([click]);
      else sessions.at(-1)!.push(click);
    });
  }
  sessions.sort((a, b) => {
    const byNewest = b.at(-1)!.time - a.at(-1)!.time;
    return byNewest || b[0]!.time - a[0]!.time || (a[0]!.session < b[0]!.session ? 1 : -1);
  });
  return sessions[0]!;
}

function mapByCity<T>(clicks: readonly Click[], value: (some: readonly Click[]) => T): Record<string, T> {
  const cities = new Set(clicks.map((click) => click.city));
  return Object.fromEntries(
    [...cities].map((city) => [city, value(clicks.filter((click) => click.city === city))]),
  );
}

/** Prices in this log are whole, so sums of them are exact as they are. */
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : sum(values) / values.length;

function* readClicks(csvPath: string): Generator<readonly [string, Click]> {
  const bytes = readFileSync(csvPath);
  const fileHash = createHash('sha256').update(bytes).digest('hex');
  const rows: Row[] = parse(csvPath.endsWith('.gz') ? gunzipSync(bytes) : bytes, { columns: true });
  for (const [index, row] of rows.entries()) {
    const { reference = '', session_id: session = '', action_type: type = '' } = row;
    yield [
      row.user_id ?? '',
      {
        id: eventId(fileHash, index),
        time: Number(row.timestamp) * second,
        session,
        type,
        city: row.city ?? '',
        device: row.device ?? '',
        reference: reference === '' || reference === 'unknown' ? null : reference,
        price: priceOf(row),
      },
    ];
  }
}

/** What was clicked, in the list that the row holds. */
function priceOf({ reference = '', impressions = '', prices = '' }: Row): number | null {
  const place = impressions.split('|').indexOf(reference);
  const price = place < 0 ? undefined : prices.split('|')[place];
  return price === undefined || price === '' ? null : Number(price);
}

/** 128 bits of SHA-256 over ('feed', file hash, row, 0), each after its length: the id that `presage feed` gives. */
function eventId(fileHash: string, row: number): string {
  const parts = ['feed', fileHash, String(row), '0'];
  const text = parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join('');
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
