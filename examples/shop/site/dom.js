/** Makes an element. Text is always text, so nothing that a product, a query or an offer says becomes markup. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

/** A drawing of ours as an element. */
export function drawing(svg) {
  const box = document.createElement('span');
  box.className = 'art';
  box.innerHTML = svg;
  return box;
}

const euros = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' });
export const price = (amount) => euros.format(amount);
