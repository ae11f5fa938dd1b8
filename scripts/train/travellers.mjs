import { sigmoid } from './random.mjs';

const start = Date.UTC(2026, 0, 5);
const second = 1_000;
const looks = [
  'interaction_item_image',
  'interaction_item_rating',
  'interaction_item_info',
  'interaction_item_deals',
];

/**
 * Hotel searches, one list of shown offers each, without end; events have the shape of examples/travel. What is offered
 * is drawn at random; whether it is accepted hangs on the traveller's mind and on the search so far.
 */
export function* travellers(random, workspace) {
  for (let traveller = 0; ; traveller++) yield search(random, workspace, `search-${traveller}`);
}

function search(random, workspace, session) {
  const mind = {
    isDecided: random.uniform(),
    mindsPrices: random.uniform(),
    level: 60 * Math.exp(0.6 * random.normal()) + 30,
    isOnPhone: random.chance(0.45),
  };
  const events = [];
  const offers = [];
  let now = start + Math.floor(random.between(0, 28 * 86_400)) * second;
  const clicks = 3 + Math.floor(-14 * Math.log(1 - random.uniform()));
  for (let click = 0; click < clicks; click++) {
    // Seconds, like the log.
    now += Math.floor(3 - 40 * Math.log(1 - random.uniform())) * second;
    const event = draw(random, mind);
    events.push({ ...event, time: now, session });
    if (!random.chance(event.type === 'clickout_item' ? 0.5 : 0.12)) continue;
    const action = random.pick(Object.keys(workspace.actions));
    const probability = sigmoid(willingness(action, mind, situation(events, now)));
    const accepted = random.chance(probability) ? 1 : 0;
    offers.push({ action, events: [...events], at: now, session, accepted, probability });
  }
  return offers;
}

function draw(random, mind) {
  const reference = String(1_000 + Math.floor(random.between(0, 12)));
  if (random.chance(0.1 + 0.12 * mind.isDecided)) {
    const price = Math.round(mind.level * Math.exp(0.25 * random.normal()));
    return { type: 'clickout_item', properties: { reference, price } };
  }
  if (random.chance(0.12)) return { type: 'filter_selection', properties: {} };
  return { type: random.chance(0.85) ? looks[0] : random.pick(looks.slice(1)), properties: { reference } };
}

function situation(events, now) {
  const clickouts = events.filter((event) => event.type === 'clickout_item');
  const prices = clickouts.map((event) => event.properties.price);
  return {
    events: events.length,
    hotels: new Set(events.map((event) => event.properties.reference)).size,
    clickouts: clickouts.length,
    meanPrice: prices.length === 0 ? 110 : prices.reduce((sum, price) => sum + price, 0) / prices.length,
    spread: prices.length < 2 ? 0 : (Math.max(...prices) - Math.min(...prices)) / 100,
    minutes: (now - events[0].time) / 60_000,
  };
}

/** The logit of acceptance. */
function willingness(action, mind, now) {
  switch (action) {
    case 'price_alert':
      return now.clickouts === 0
        ? -4
        : -3 + 2 * mind.mindsPrices + 0.8 * Math.min(now.spread, 2) + 0.15 * now.clickouts;
    case 'similar_hotels':
      return -2.6 + 0.14 * Math.min(now.hotels, 12) - 0.8 * mind.isDecided + (now.clickouts > 0 ? 0.6 : 0);
    case 'stay_flexible':
      return -3.6 + 1.6 * mind.mindsPrices + 0.05 * Math.min(now.events, 40) - 0.003 * now.meanPrice;
    case 'app_link':
      return mind.isOnPhone ? -2.4 + 0.03 * Math.min(now.events, 30) : -4.5;
    default:
      return -4.2 + 0.06 * Math.min(now.minutes, 40) + 0.003 * now.meanPrice - (now.clickouts > 0 ? 1 : 0);
  }
}
