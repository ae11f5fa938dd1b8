import { cart, freeShippingFrom, redeem } from './cart.js';
import { h, price } from './dom.js';
import { onExpired, onOffer } from './presage.js';
import { sawAnswer, sawOffer } from './sees.js';

/** Where each placement shows its offer. The newest one is shown; an older unanswered one makes room. */
const places = {
  banner: document.querySelector('#banner'),
  drawer: document.querySelector('#drawer'),
};
const open = new Map();

/** `follow(offer)` does what the visitor accepted. */
export function showOffers(follow) {
  onOffer((offer) => {
    const place = places[offer.placement];
    if (!place) return;
    const close = () => {
      if (open.get(place) !== offer) return;
      open.delete(place);
      place.classList.remove('open');
      place.replaceChildren();
    };
    open.set(place, offer);
    place.replaceChildren(card(offer, close, follow));
    place.classList.add('open');
    offer.shown();
    sawOffer(offer);
  });
  onExpired((offer) => {
    const place = places[offer.placement];
    if (open.get(place) !== offer) return;
    open.delete(place);
    place.classList.remove('open');
    place.replaceChildren();
  });
}

function card(offer, close, follow) {
  const { title, body, cta, code } = offer.content;
  const accept = () => {
    offer.accept();
    sawAnswer(offer, 'accepted');
    if (code) {
      redeem(code);
      navigator.clipboard?.writeText(code).catch(() => {});
    }
    close();
    follow(offer);
  };
  const dismiss = () => {
    offer.dismiss();
    sawAnswer(offer, 'dismissed');
    close();
  };
  return h(
    'div',
    { class: 'offer', 'data-decision': offer.decision, 'data-action': offer.action },
    h(
      'div',
      { class: 'words' },
      h('strong', {}, title ?? offer.action),
      body ? h('p', {}, withAmount(offer, body)) : null,
    ),
    code ? h('code', {}, code) : null,
    cta ? h('button', { class: 'primary', type: 'button', onclick: accept }, cta) : null,
    h('button', { class: 'close', type: 'button', 'aria-label': 'Dismiss the offer', onclick: dismiss }, '✕'),
  );
}

/** What is missing for free shipping is better said in euros. */
function withAmount(offer, body) {
  const missing = freeShippingFrom - cart().goods;
  if (offer.action !== 'free_shipping' || missing <= 0) return body;
  return `Only ${price(missing)} to go. Add a little something and we pay the postage.`;
}
