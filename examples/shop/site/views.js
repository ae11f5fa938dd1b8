import { art } from './art.js';
import { cart, freeShippingFrom } from './cart.js';
import { drawing, h, price } from './dom.js';
import { categories, find, productOf, products } from './products.js';

const nameOf = (category) => categories.find(({ id }) => id === category)?.name ?? category;

export function shelf(category, actions) {
  const isSmall = category === 'extras';
  const shown = isSmall
    ? products.filter((each) => each.price <= 25)
    : products.filter((each) => category === null || each.category === category);
  const hero = category === null ? heroOf() : null;
  const title = isSmall ? 'Small extras' : category === null ? 'Everything for outside' : nameOf(category);
  return [hero, h('h1', {}, title), grid(shown, actions)];
}

export function found(query, actions) {
  const results = find(query);
  return [
    h('h1', {}, results.length === 0 ? `Nothing for “${query}”` : `${results.length} for “${query}”`),
    results.length === 0
      ? h(
          'p',
          { class: 'empty' },
          'Try “boot”, “wool” or “tent” — or ',
          h('a', { href: '#/' }, 'look at everything'),
          '.',
        )
      : grid(results, actions),
  ];
}

export function productPage(sku, { onAdd }) {
  const product = productOf(sku);
  if (!product) return missing();
  const partner = productOf(product.goes);
  return [
    h(
      'article',
      { class: 'product' },
      drawing(art(product.art)),
      h(
        'div',
        {},
        h('a', { class: 'crumb', href: `#/c/${product.category}` }, nameOf(product.category)),
        h('h1', {}, product.name),
        h('p', { class: 'cost' }, price(product.price)),
        h('p', {}, product.text),
        h('button', { class: 'primary', type: 'button', onclick: () => onAdd(product) }, 'Add to cart'),
        h('p', { class: 'small' }, `Free shipping from ${price(freeShippingFrom)} · 60 days to return`),
        partner
          ? h(
              'p',
              { class: 'small' },
              'Goes well with the ',
              h('a', { href: `#/p/${partner.sku}` }, partner.name),
            )
          : null,
      ),
    ),
    h('h2', {}, `More ${nameOf(product.category).toLowerCase()}`),
    grid(
      products.filter((each) => each.category === product.category && each !== product),
      { onAdd },
    ),
  ];
}

export function cartPage({ onRemove, onCheckout }) {
  const { items, goods, off, code, shipping, total } = cart();
  if (items.length === 0)
    return [
      h('h1', {}, 'Your cart is empty'),
      h(
        'p',
        { class: 'empty' },
        'Everything has a place outside. ',
        h('a', { href: '#/' }, 'Find something'),
        '.',
      ),
    ];
  return [
    h('h1', {}, 'Your cart'),
    h(
      'div',
      { class: 'checkout' },
      h(
        'ul',
        { class: 'lines' },
        ...items.map((item, index) =>
          h(
            'li',
            {},
            drawing(art(item.art)),
            h('a', { href: `#/p/${item.sku}` }, item.name),
            h('span', { class: 'amount' }, price(item.price)),
            h(
              'button',
              {
                class: 'plain',
                type: 'button',
                'aria-label': `Remove ${item.name}`,
                onclick: () => onRemove(index, item),
              },
              'Remove',
            ),
          ),
        ),
      ),
      h(
        'div',
        { class: 'sum' },
        row('Goods', price(goods)),
        off > 0 ? row(`Code ${code}`, `−${price(off)}`) : null,
        row('Shipping', shipping === 0 ? 'free' : price(shipping)),
        row('Total', price(total), 'total'),
        h('button', { class: 'primary', type: 'button', onclick: onCheckout }, 'Go to checkout'),
      ),
    ),
  ];
}

export function checkoutPage({ onOrder }) {
  const { items, total } = cart();
  if (items.length === 0) return cartPage({});
  return [
    h('h1', {}, 'Checkout'),
    h(
      'div',
      { class: 'sum' },
      h('p', {}, 'This is a demo: there is nothing to fill in and nothing to pay.'),
      row(`${items.length} ${items.length === 1 ? 'item' : 'items'}`, price(total), 'total'),
      h('button', { class: 'primary', type: 'button', onclick: onOrder }, 'Place the order'),
    ),
  ];
}

export function thanksPage() {
  return [
    h('h1', {}, 'Thank you'),
    h(
      'p',
      { class: 'empty' },
      'Your order is on its way to nowhere, for this is a demo. ',
      h('a', { href: '#/' }, 'Back to the shop'),
      '.',
    ),
  ];
}

export function sizeDialog() {
  const answer = h('p', { class: 'small', 'aria-live': 'polite' });
  const sizes = { narrow: 'half a size down', usual: 'your usual size', wide: 'half a size up' };
  const dialog = h(
    'dialog',
    {},
    h('h2', {}, 'How do your shoes usually fit?'),
    h(
      'div',
      { class: 'choices' },
      ...Object.entries({ narrow: 'Loose', usual: 'Just right', wide: 'Tight' }).map(([fit, label]) =>
        h('button', { type: 'button', onclick: () => (answer.textContent = `Take ${sizes[fit]}.`) }, label),
      ),
    ),
    answer,
    h('button', { class: 'primary', type: 'button', onclick: () => dialog.close() }, 'Done'),
  );
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

export const missing = () => [
  h('h1', {}, 'Off the map'),
  h(
    'p',
    { class: 'empty' },
    'There is nothing at this address. ',
    h('a', { href: '#/' }, 'Back to the shop'),
    '.',
  ),
];

function grid(shown, { onAdd }) {
  return h(
    'ul',
    { class: 'grid' },
    ...shown.map((product) =>
      h(
        'li',
        {},
        h(
          'a',
          { href: `#/p/${product.sku}` },
          drawing(art(product.art)),
          h('span', { class: 'name' }, product.name),
          h('span', { class: 'cost' }, price(product.price)),
        ),
        h(
          'button',
          {
            class: 'add',
            type: 'button',
            'aria-label': `Add ${product.name} to the cart`,
            onclick: () => onAdd(product),
          },
          '+',
        ),
      ),
    ),
  );
}

function heroOf() {
  return h(
    'div',
    { class: 'hero' },
    h('p', { class: 'kicker' }, 'Autumn, unhurried'),
    h('p', { class: 'claim' }, 'Gear for the long way round.'),
    h('a', { href: '#/c/shoes' }, 'Start with your feet'),
  );
}

const row = (label, amount, kind = '') =>
  h('p', { class: `row ${kind}` }, h('span', {}, label), h('span', {}, amount));
