import { add, cart, empty, onCart, remove } from './cart.js';
import { h } from './dom.js';
import { showOffers } from './offers.js';
import { connect, page, track } from './presage.js';
import { categories, find, productOf, products } from './products.js';
import {
  cartPage,
  checkoutPage,
  found,
  missing,
  productPage,
  shelf,
  sizeDialog,
  thanksPage,
} from './views.js';

const main = document.querySelector('#main');
const search = document.querySelector('#search');
let lastViewed = products[0];

const actions = {
  onAdd({ sku, category, price }) {
    add(sku);
    track('product_added', { sku, category, price, quantity: 1 });
  },
  onRemove(index, { sku }) {
    remove(index);
    track('product_removed', { sku });
    draw();
  },
  onCheckout() {
    location.hash = '#/checkout';
  },
  onOrder() {
    const { goods, off, items } = cart();
    track('order_completed', { value: goods - off, items: items.length });
    empty();
    location.hash = '#/thanks';
  },
};

const routes = {
  '': () => shelf(null, actions),
  c: (category) => shelf(category, actions),
  p: (sku) => productPage(sku, actions),
  s: (query) => found(query, actions),
  cart: () => cartPage(actions),
  checkout: () => checkoutPage(actions),
  thanks: () => thanksPage(),
};

/** What each page tells Presage about the visitor, once per visit of it. */
const told = {
  p(sku) {
    const product = productOf(sku);
    if (!product) return;
    lastViewed = product;
    track('product_viewed', { sku, category: product.category, price: product.price });
  },
  s: (query) => track('search', { query, results: find(query).length }),
  cart() {
    const { goods, items } = cart();
    track('cart_viewed', { value: goods, items: items.length });
  },
  checkout() {
    const { goods, items } = cart();
    if (items.length > 0) track('checkout_started', { value: goods });
  },
};

function route() {
  const [name = '', argument = ''] = location.hash.replace(/^#\/?/, '').split('/').map(decoded);
  return { name, argument };
}

function draw() {
  const { name, argument } = route();
  const nodes = (routes[name] ?? missing)(argument).filter(Boolean);
  main.replaceChildren(...nodes);
  document
    .querySelector('#categories')
    .replaceChildren(
      ...categories.map(({ id, name: label }) =>
        h('a', { href: `#/c/${id}`, 'aria-current': name === 'c' && argument === id ? 'page' : null }, label),
      ),
    );
}

function visit() {
  draw();
  const { name, argument } = route();
  scrollTo(0, 0);
  page(name || 'home');
  told[name]?.(argument);
}

/** What an accepted offer leads to. */
function follow({ action }) {
  if (action === 'size_help') return sizeDialog();
  const to = {
    free_shipping: '#/c/extras',
    bundle: `#/p/${(cart().items.at(-1) ?? lastViewed).goes}`,
    back_in_category: `#/c/${lastViewed.category}`,
    ten_percent: '#/cart',
  };
  location.hash = to[action] ?? location.hash;
}

function count() {
  const { items } = cart();
  document.querySelector('#count').textContent = String(items.length);
  document.querySelector('.cart').setAttribute('aria-label', `Cart, ${items.length} items`);
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

search.addEventListener('submit', (event) => {
  event.preventDefault();
  const query = String(new FormData(search).get('query')).trim();
  if (query !== '') location.hash = `#/s/${encodeURIComponent(query)}`;
});
addEventListener('hashchange', visit);
onCart(count);
count();
showOffers(follow);
visit();
connect();
