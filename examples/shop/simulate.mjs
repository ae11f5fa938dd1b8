/**
 * A visit to the demo shop, played. Each `yield` is one step: {wait: ms}, {page}, {track, properties}, {accept: offer} or
 * {dismiss: offer}; it is answered with the offers that came on the screen since the step before. Pure behaviour: all
 * chance comes from `random`, all time from {wait}.
 */
export default function* visit({ random, number }) {
  const mind = {
    wantsToBuy: random(),
    mindsPrices: random(),
    fearsMisfit: random(),
    favourite: pick(random, categories),
    // The first visitors are in a hurry, so that whoever starts the demo sees offers at once.
    isHurried: number < 3,
  };
  const visitor = { random, mind, cart: [], views: 0, hasOrdered: false };

  yield { page: 'home' };
  if (random() < 0.15) yield* search(visitor);
  const clicks = mind.isHurried ? 8 : 3 + Math.floor(-7 * Math.log(1 - random()));
  for (let click = 0; click < clicks; click++) {
    yield* look(visitor);
    if (visitor.hasOrdered) return;
  }
  if (visitor.cart.length > 0) yield* goToCart(visitor);
}

const categories = ['shoes', 'clothing', 'bags', 'outdoor'];
const assortment = [
  ['AP-101', 'shoes', 119],
  ['AP-102', 'shoes', 189],
  ['AP-103', 'shoes', 69],
  ['AP-201', 'clothing', 149],
  ['AP-202', 'clothing', 79],
  ['AP-204', 'clothing', 24],
  ['AP-205', 'clothing', 14],
  ['AP-301', 'bags', 95],
  ['AP-302', 'bags', 129],
  ['AP-401', 'outdoor', 329],
  ['AP-402', 'outdoor', 39],
  ['AP-403', 'outdoor', 19],
].map(([sku, category, price]) => ({ sku, category, price }));

function* look(visitor) {
  const { random, mind, cart } = visitor;
  const product = pick(
    random,
    random() < 0.7 ? assortment.filter(({ category }) => category === mind.favourite) : assortment,
  );
  visitor.views += 1;
  yield* act(visitor, { track: 'product_viewed', properties: { ...product } });
  yield* think(visitor, 800, 2_800);
  // The hurried look three times, then buy: the first offers come from looking and from adding.
  const wants = mind.isHurried ? (visitor.views === 4 ? 1 : 0.1) : 0.06 + 0.16 * mind.wantsToBuy;
  if (random() < wants) {
    cart.push(product);
    yield* act(visitor, { track: 'product_added', properties: { ...product, quantity: 1 } });
    yield* think(visitor, 1_500, 5_000);
    if (random() < 0.35) yield* goToCart(visitor);
  }
}

function* goToCart(visitor) {
  const { random, mind, cart } = visitor;
  yield* act(visitor, { track: 'cart_viewed', properties: { value: worthOf(cart), items: cart.length } });
  yield* think(visitor, 2_000, 7_000);
  if (cart.length > 0 && random() < 0.1 + 0.35 * mind.mindsPrices) {
    const [removed] = cart.splice(Math.floor(random() * cart.length), 1);
    yield* act(visitor, { track: 'product_removed', properties: { sku: removed.sku } });
    yield* think(visitor, 2_000, 6_000);
  }
  if (cart.length > 0 && random() < 0.15 + 0.5 * mind.wantsToBuy) yield* checkOut(visitor);
}

function* checkOut(visitor) {
  const { random, mind, cart } = visitor;
  yield* act(visitor, { track: 'checkout_started', properties: { value: worthOf(cart) } });
  yield* think(visitor, 3_000, 9_000);
  if (random() < 0.4 + 0.5 * mind.wantsToBuy) {
    yield* act(visitor, {
      track: 'order_completed',
      properties: { value: worthOf(cart), items: cart.length },
    });
    visitor.hasOrdered = true;
  }
}

function* search(visitor) {
  const [query, results] = pick(visitor.random, [
    ['boot', 1],
    ['wool', 1],
    ['tent', 2],
    ['kayak', 0],
    ['crampons', 0],
  ]);
  yield* act(visitor, { track: 'search', properties: { query, results } });
  yield* think(visitor, 1_500, 4_000);
}

/** Does something, then sees to the offers it may have brought. */
function* act(visitor, step) {
  yield* consider(visitor, yield step);
}

function* think(visitor, least, most) {
  const ms = least + (most - least) * visitor.random();
  yield* consider(visitor, yield { wait: Math.round(visitor.mind.isHurried ? ms / 6 : ms) });
}

/** Reads each offer, and takes it, closes it or leaves it standing. */
function* consider(visitor, offers) {
  for (const offer of offers) {
    const { random } = visitor;
    const more = yield { wait: Math.round(1_000 + 2_000 * random()) };
    const isTaken = random() < sigmoid(willingness(offer.action, visitor));
    if (isTaken) yield { accept: offer };
    else if (random() < 0.6) yield { dismiss: offer };
    yield* consider(visitor, more);
  }
}

/** The logit of taking an offer: what it says, met by what the visitor has in mind. */
function willingness(action, { mind, cart, views }) {
  const value = worthOf(cart);
  switch (action) {
    case 'free_shipping':
      return value === 0 || value >= 60 ? -4 : -1.8 + 2.4 * (value / 60) + 0.8 * mind.mindsPrices;
    case 'ten_percent':
      return -2.4 + 2.4 * mind.mindsPrices + 0.15 * Math.min(views, 8);
    case 'size_help':
      return -2.4 + 1.8 * mind.fearsMisfit + 0.1 * Math.min(views, 8);
    case 'bundle':
      return cart.length === 0 ? -4 : -1.8 + 1.5 * mind.wantsToBuy;
    case 'back_in_category':
      return -2.2 + 0.16 * Math.min(views, 10) + 0.6 * mind.wantsToBuy;
    default:
      return -2.5;
  }
}

const sigmoid = (logit) => 1 / (1 + Math.exp(-logit));
const worthOf = (cart) => cart.reduce((sum, { price }) => sum + price, 0);
const pick = (random, list) => list[Math.floor(random() * list.length)];
