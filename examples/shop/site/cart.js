import { productOf } from './products.js';

const kept = 'alder-pine.cart';
let lines = read();
const listeners = new Set();

export const freeShippingFrom = 60;
const shippingCost = 4.9;

/** What is in the cart; `discount` is the share taken off by a code. */
export function cart() {
  const items = lines.skus.map((sku) => productOf(sku)).filter(Boolean);
  const goods = items.reduce((sum, each) => sum + each.price, 0);
  const off = Math.round(goods * lines.discount * 100) / 100;
  const shipping = items.length === 0 || goods - off >= freeShippingFrom ? 0 : shippingCost;
  return { items, goods, off, code: lines.code, shipping, total: goods - off + shipping };
}

export const add = (sku) => change({ ...lines, skus: [...lines.skus, sku] });
export const redeem = (code) => change({ ...lines, code, discount: 0.1 });
export const empty = () => change({ skus: [], code: null, discount: 0 });
export function remove(index) {
  change({ ...lines, skus: lines.skus.filter((_, at) => at !== index) });
}
export const onCart = (listener) => listeners.add(listener);

function change(next) {
  lines = next;
  try {
    localStorage.setItem(kept, JSON.stringify(lines));
  } catch {}
  for (const listener of listeners) listener();
}

function read() {
  try {
    const { skus, code, discount } = JSON.parse(localStorage.getItem(kept) ?? 'null') ?? {};
    if (Array.isArray(skus)) return { skus, code: code ?? null, discount: discount ?? 0 };
  } catch {}
  return { skus: [], code: null, discount: 0 };
}
