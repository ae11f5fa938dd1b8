import type { Offer } from './offers.ts';
import type { Presage } from './presage.ts';

const style = `
:host{all:initial;position:fixed;right:16px;bottom:16px;z-index:2147483000;max-width:min(340px,calc(100vw - 32px));
font:15px/1.45 system-ui,sans-serif;color-scheme:light dark}
section{padding:16px;border-radius:12px;background:light-dark(#fff,#1d2125);color:light-dark(#16202a,#e8ecf0);
box-shadow:0 8px 32px #0004}
h2{font-size:16px;margin:0 24px 4px 0}p{margin:0 0 12px}
button{font:inherit;border:0;border-radius:8px;padding:8px 14px;cursor:pointer;background:#0b5fff;color:#fff}
button.x{position:absolute;top:8px;right:8px;padding:4px 8px;background:none;color:inherit}`;

/** Shows offers as a small card in a corner: `data-render="auto"`. Content: {title, body?, cta?, url?}. */
export function showCards(presage: Presage): void {
  let open: { readonly offer: Offer; readonly host: HTMLElement } | null = null;
  const later: Offer[] = [];

  const close = (): void => {
    open?.host.remove();
    open = null;
    const next = later.shift();
    if (next !== undefined) show(next);
  };
  const show = (offer: Offer): void => {
    const { title, body, cta, url } = offer.content;
    const host = document.createElement('div');
    const root = host.attachShadow({ mode: 'open' });
    const card = add(root, 'section', '');
    card.setAttribute('role', 'status');
    add(root, 'style', style);
    if (title) add(card, 'h2', title);
    if (body) add(card, 'p', body);
    const button = (text: unknown, className: string, act: () => void) => {
      const made = add(card, 'button', text);
      made.className = className;
      made.onclick = () => {
        act();
        close();
      };
      return made;
    };
    if (cta)
      button(cta, '', () => {
        offer.accept();
        const to = safeUrl(url);
        if (to !== null) location.assign(to);
      });
    button('✕', 'x', offer.dismiss).setAttribute('aria-label', 'Dismiss');
    document.body.append(host);
    open = { offer, host };
    offer.shown();
  };

  presage.on('offer', (offer) => {
    if (open === null) show(offer);
    else later.push(offer);
  });
  presage.on('expired', (offer) => {
    const at = later.indexOf(offer);
    if (at >= 0) later.splice(at, 1);
    if (open?.offer === offer) close();
  });
}

function add(parent: Node, tag: string, text: unknown): HTMLElement {
  const made = document.createElement(tag);
  // Text only: content is data, never markup.
  made.textContent = String(text);
  parent.appendChild(made);
  return made;
}

/** Only addresses that a link may have: no javascript:. */
function safeUrl(url: unknown): string | null {
  if (typeof url !== 'string') return null;
  try {
    const to = new URL(url, location.href);
    return /^https?:$/.test(to.protocol) ? to.href : null;
  } catch {
    return null;
  }
}
