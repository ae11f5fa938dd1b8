import { h } from './dom.js';

/** The strip at the bottom: what this page told Presage, and what came back. */
const strip = document.querySelector('#sees');
const entries = [];
const shownEntries = 8;
let status = 'connecting';

const statuses = {
  connecting: 'Connecting to Presage…',
  connected: 'Connected: your next clicks may bring an offer',
  away: 'Presage is away. The shop works on; your clicks are kept and sent when it is back.',
  refused: 'Presage refused this page’s key. Reload the page; if that does not help, restart Presage.',
};

const shortStatuses = {
  connecting: 'Connecting…',
  connected: 'Connected: click around',
};

const reasons = {
  browsing: 'you looked at several products',
  added: 'you put something into the cart',
  hesitating: 'you took something out of the cart',
  looking_at_cart: 'you looked at your cart',
  found_nothing: 'your search found nothing',
};

const dot = h('i', { class: 'dot' });
const line = h('span', { class: 'line', 'aria-live': 'polite' });
const list = h('ol');
const details = h(
  'details',
  {},
  h('summary', {}, dot, h('b', {}, 'What Presage sees'), line),
  h('div', { class: 'seen' }, list),
);
strip.append(details);
draw();

export function setStatus(next) {
  status = next;
  draw();
}

export function sawEvent(name, properties) {
  const said = Object.entries(properties ?? {})
    .map(([key, value]) => `${key} ${value}`)
    .join(' · ');
  note({ kind: 'event', what: name, more: said });
}

export function sawOffer(offer) {
  const because = reasons[offer.because] ?? `of the trigger “${offer.because}”`;
  note({
    kind: 'offer',
    what: `Offer ${offer.action}`,
    more: `because ${because} · ${offer.placement} · decision ${offer.decision.slice(0, 8)}`,
  });
}

export function sawAnswer(offer, answer) {
  note({ kind: 'answer', what: `${answer} ${offer.action}`, more: 'reported back: what is learned from' });
}

function note(entry) {
  entries.unshift({ ...entry, at: new Date() });
  entries.length = Math.min(entries.length, shownEntries);
  draw();
}

function draw() {
  strip.dataset.status = status;
  const [last] = entries;
  const isWell = status === 'connected' || status === 'connecting';
  // On a narrow page there is room for the name only; the list below has the rest.
  if (isWell && last)
    line.replaceChildren(last.what, h('span', { class: 'more' }, last.more ? ` — ${last.more}` : ''));
  else line.replaceChildren(isWell ? shortStatuses[status] : statuses[status]);
  line.dataset.kind = isWell && last ? last.kind : 'status';
  list.replaceChildren(
    h('li', { class: 'status' }, statuses[status]),
    ...entries.map(({ kind, what, more, at }) =>
      h(
        'li',
        { class: kind },
        h('time', {}, at.toLocaleTimeString('en-GB')),
        h('b', {}, what),
        h('span', {}, more),
      ),
    ),
  );
}
