/** A small seeded log in the shape of the trivago sample, so that tests need no data that is not ours. */

const types = [
  'interaction item image',
  'interaction item image',
  'interaction item rating',
  'interaction item deals',
  'clickout item',
  'clickout item',
  'filter selection',
  'search for destination',
];
const cities = ['Berlin, Germany', 'Rome, Italy', 'Lisbon, Portugal', 'Oslo, Norway'];
const header =
  'user_id,session_id,timestamp,step,action_type,reference,platform,city,device,current_filters,impressions,prices';

/** mulberry32: a small generator with a period long enough for tests. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** CSV text of `rows` events of about rows / 25 people over a day, sorted by person as the real one is. */
export function seededTrivagoLog(rows: number, seed = 7): string {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const lines = [header];
  const start = 1_541_030_400;
  for (let person = 0; lines.length <= rows; person++) {
    const sessions = 1 + Math.floor(random() * 3);
    let at = start + Math.floor(random() * 40_000);
    for (let session = 0; session < sessions; session++) {
      const steps = 3 + Math.floor(random() * 18);
      const city = pick(cities);
      for (let step = 1; step <= steps && lines.length <= rows; step++) {
        const type = pick(types);
        const hotel = String(1_000 + Math.floor(random() * 60));
        const isClickout = type === 'clickout item';
        const hotels = isClickout
          ? [hotel, ...Array.from({ length: 5 }, () => String(1_000 + Math.floor(random() * 60)))]
          : [];
        const prices = hotels.map(() => String(40 + Math.floor(random() * 200)));
        const reference =
          type === 'search for destination' ? city : type === 'filter selection' ? 'Breakfast' : hotel;
        lines.push(
          [
            `user${person}`,
            `s${person}-${session}`,
            at,
            step,
            type,
            `"${reference}"`,
            'DE',
            `"${city}"`,
            pick(['mobile', 'desktop']),
            '',
            hotels.join('|'),
            prices.join('|'),
          ].join(','),
        );
        at += 1 + Math.floor(random() * 90);
      }
      at += 2_400 + Math.floor(random() * 8_000);
    }
  }
  return `${lines.join('\n')}\n`;
}
