import { sigmoid } from './random.mjs';

const assortment = [
  { category: 'shoes', price: 85, hasSizes: true },
  { category: 'clothing', price: 45, hasSizes: true },
  { category: 'bags', price: 70, hasSizes: false },
  { category: 'outdoor', price: 110, hasSizes: false },
  { category: 'accessories', price: 22, hasSizes: false },
];
const start = Date.UTC(2026, 0, 5);
const second = 1_000;
const day = 86_400_000;

/**
 * Visits to the shop, one list of shown offers each, without end. What is offered is drawn at random, so that the model
 * sees every offer in every situation; whether it is accepted hangs on the visitor's mind and on what they did so far.
 */
export function* shoppers(random, workspace) {
  for (let visitor = 0; ; visitor++) yield visit(random, workspace, `visit-${visitor}`);
}

function visit(random, workspace, session) {
  const mind = {
    wantsToBuy: random.uniform(),
    mindsPrices: random.uniform(),
    fearsMisfit: random.uniform(),
    favourite: random.pick(assortment),
  };
  const events = [];
  const offers = [];
  let now = start + Math.floor(random.between(0, 28 * day));
  const happen = (type, properties, ofSession = session) => {
    events.push({ type, time: now, session: ofSession, properties });
  };
  if (random.chance(0.25)) {
    happen('order_completed', { value: price(random, 90), items: 2 }, `${session}-before`);
    now += Math.floor(random.between(1, 25) * day);
  }
  happen('page', {});
  let cart = [];
  for (let clicks = 2 + Math.floor(-9 * Math.log(1 - random.uniform())); clicks > 0; clicks--) {
    now += Math.floor(random.between(4, 70) * second);
    const kind = random.chance(0.7) ? mind.favourite : random.pick(assortment);
    const product = {
      sku: `${kind.category}-${Math.floor(random.between(0, 12))}`,
      category: kind.category,
      price: price(random, kind.price),
    };
    happen('product_viewed', product);
    let placement = 'banner';
    if (random.chance(0.04 + 0.16 * mind.wantsToBuy)) {
      now += 8 * second;
      happen('product_added', { ...product, quantity: 1 });
      cart.push(product);
      placement = 'drawer';
    } else if (cart.length > 0 && random.chance(0.12 * mind.mindsPrices + 0.04)) {
      now += 10 * second;
      const [removed] = cart.splice(Math.floor(random.uniform() * cart.length), 1);
      happen('product_removed', { sku: removed.sku });
    } else if (!random.chance(0.35)) continue;
    const shown = random.pick(actionsOf(workspace, placement));
    const probability = sigmoid(willingness(shown, mind, situation(events, session, cart, kind)));
    const accepted = random.chance(probability) ? 1 : 0;
    offers.push({ action: shown, events: [...events], at: now, session, accepted, probability });
    if (cart.length > 0 && random.chance(0.15 * mind.wantsToBuy)) {
      now += 60 * second;
      happen('order_completed', {
        value: cart.reduce((sum, item) => sum + item.price, 0),
        items: cart.length,
      });
      cart = [];
    }
  }
  return offers;
}

const price = (random, typical) => Math.round(typical * Math.exp(0.35 * random.normal()) * 100) / 100;

const actionsOf = (workspace, placement) =>
  Object.keys(workspace.actions).filter((name) => workspace.actions[name].placements.includes(placement));

function situation(events, session, cart, kind) {
  const own = events.filter((event) => event.session === session);
  const count = (type) => own.filter((event) => event.type === type).length;
  const viewed = own.filter((event) => event.type === 'product_viewed');
  return {
    kind,
    views: viewed.length,
    products: new Set(viewed.map((event) => event.properties.sku)).size,
    adds: count('product_added'),
    removals: count('product_removed'),
    hasOrdered: events.some((event) => event.type === 'order_completed'),
    cartValue: cart.reduce((sum, item) => sum + item.price, 0),
    meanPrice: viewed.reduce((sum, event) => sum + event.properties.price, 0) / viewed.length,
  };
}

/** The logit of acceptance: what makes an offer welcome, in the units of a logistic model. */
function willingness(action, mind, now) {
  const hesitates = Math.min(now.views, 10) / 10 - (now.adds > now.removals ? 0.8 : 0);
  switch (action) {
    case 'free_shipping':
      if (now.cartValue === 0 || now.cartValue >= 60) return -4.5;
      return -2.6 + 2.4 * (now.cartValue / 60) + 0.8 * mind.mindsPrices;
    case 'ten_percent':
      return (
        -3 + 2.4 * mind.mindsPrices + 1.8 * hesitates + 0.008 * now.meanPrice - (now.hasOrdered ? 1.2 : 0)
      );
    case 'size_help':
      return (
        -3.2 + (now.kind.hasSizes ? 1.6 : -1.5) + 1.4 * mind.fearsMisfit + 0.12 * Math.min(now.products, 8)
      );
    case 'bundle':
      return now.adds === 0
        ? -4.5
        : -2.4 + 1.5 * mind.wantsToBuy + 0.3 * Math.min(now.adds, 4) - 0.004 * now.meanPrice;
    case 'back_in_category':
      return -2.8 + 0.16 * Math.min(now.views, 10) + 0.6 * mind.wantsToBuy - 0.006 * now.meanPrice;
    default:
      return -3.4 + 0.9 * Math.min(now.removals, 3) + 0.08 * Math.min(now.views, 15);
  }
}
