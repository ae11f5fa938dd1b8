import type { ClaimReply, Refusal, Reply, ReportName, WireOffer } from '../sinks/socketio/protocol.ts';
import type { World } from './world.ts';

/** An offer that this tab, and no other, may show. */
export interface Offer extends Omit<WireOffer, 'expiresInMs'> {
  /** Say that it is on the screen now. `accept` and `dismiss` say it too. */
  shown(): void;
  accept(): void;
  dismiss(): void;
}

/** The part of a socket.io-client socket that we use. */
export interface Wire {
  readonly connected: boolean;
  readonly active: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: socket.io's own signature
  on(event: string, listener: (...args: any[]) => void): unknown;
  timeout(ms: number): { emitWithAck(name: string, body: object): Promise<unknown> };
  connect(): unknown;
  disconnect(): unknown;
}

export interface OfferEvents {
  /** Returns false while nobody listens: the offer then waits. */
  readonly hasListener: () => boolean;
  readonly onOffer: (offer: Offer) => void;
  /** An offer that was given out and not answered must leave the screen now. */
  readonly onExpired: (offer: Offer) => void;
  readonly onStatus: (status: 'connected' | 'away' | 'refused', refusal?: Refusal) => void;
}

export interface Offers {
  /** Looks again at offers that wait for a listener or for the tab to become visible. */
  consider(): void;
  close(): void;
}

const answerMs = 5_000;
const againMs = 1_000;
const reconnectMs = 5_000;

/** Receives offers, claims each before it is shown, and reports what became of it until the server has heard. */
export function receiveOffers(world: World, wire: Wire, events: OfferEvents): Offers {
  const { store } = world;
  const seen = new Set<string>();
  let waiting: { readonly offer: WireOffer; readonly deadline: number }[] = [];
  let isReporting = false;
  let isClosed = false;
  let reports = 0;

  const ask = async <T>(name: string, body: object): Promise<T | null> => {
    try {
      return (await wire.timeout(answerMs).emitWithAck(name, body)) as T;
    } catch {
      return null;
    }
  };

  const consider = (): void => {
    if (!events.hasListener() || !world.isVisible()) return;
    const now = waiting;
    waiting = [];
    for (const { offer, deadline } of now) void claim(offer, deadline);
  };

  const claim = async (offer: WireOffer, deadline: number): Promise<void> => {
    if (isClosed || world.elapsed() >= deadline) return;
    const { decision } = offer;
    const reply = await ask<ClaimReply>('claim', { decision, tab: world.tab });
    if (reply === null || (!reply.ok && reply.retriable))
      return world.after(againMs, () => void claim(offer, deadline));
    if (!reply.ok || !reply.granted || isClosed || world.elapsed() >= deadline) return;
    // A duplicated tab has the same id, so the server granted it too; the store tells them apart.
    if (await world.alone('presage.show', false, () => isFirst(decision, offer.expiresAt)))
      give(offer, deadline);
  };

  const isFirst = (decision: string, expiresAt: number): boolean => {
    for (const key of store.keys('s.')) if (Number(store.get(key)) < world.now()) store.remove(key);
    if (store.get(`s.${decision}`) !== null) return false;
    // An hour more, for wrong clocks.
    store.set(`s.${decision}`, `${Math.max(expiresAt, world.now()) + 3_600_000}`);
    return true;
  };

  const give = ({ expiresInMs: _, ...offer }: WireOffer, deadline: number): void => {
    const done = new Set<ReportName>();
    const say = (...names: ReportName[]) => {
      for (const name of names) {
        if (!done.has(name))
          store.set(`r.${world.now()}.${String(reports++).padStart(4, '0')}`, `${name} ${offer.decision}`);
        done.add(name);
      }
      void report();
    };
    const isAnswered = () => done.has('accepted') || done.has('dismissed');
    const given: Offer = {
      ...offer,
      shown: () => say('shown'),
      accept: () => isAnswered() || say('shown', 'accepted'),
      dismiss: () => isAnswered() || say('shown', 'dismissed'),
    };
    world.after(deadline - world.elapsed(), () => {
      if (isAnswered()) return;
      events.onExpired(given);
      // A moment later, so that by the server's clock it has expired too.
      if (done.has('shown')) world.after(againMs, () => say('expired'));
    });
    events.onOffer(given);
  };

  /** Sends reports in order. They stay in the store until they are answered, over page loads and lost connections. */
  const report = async (): Promise<void> => {
    if (isReporting || !wire.connected) return;
    isReporting = true;
    for (const key of store.keys('r.')) {
      const [name = '', decision] = (store.get(key) ?? '').split(' ');
      const reply = name === '' ? null : await ask<Reply>(name, { decision });
      if (reply === null || (!reply.ok && reply.retriable)) break;
      store.remove(key);
    }
    isReporting = false;
    if (store.keys('r.').length > 0 && wire.connected) world.after(againMs, () => void report());
  };

  const refused = (refusal?: Refusal): void => {
    events.onStatus('refused', refusal);
    if (refusal === undefined || refusal.retriable)
      world.after(reconnectMs, () => isClosed || wire.connect());
    else world.warn(`connection refused: ${refusal.code}: ${refusal.message}`);
  };

  wire.on('offer', (offer: WireOffer, received: () => void) => {
    received();
    if (seen.has(offer.decision)) return;
    if (seen.size > 500) seen.clear();
    seen.add(offer.decision);
    waiting.push({ offer, deadline: world.elapsed() + offer.expiresInMs });
    consider();
  });
  wire.on('connect', () => {
    events.onStatus('connected');
    void report();
  });
  let lastRefusal: Refusal | undefined;
  wire.on('refused', (refusal: Refusal) => {
    lastRefusal = refusal;
  });
  wire.on('disconnect', (reason: string) => {
    if (isClosed) return;
    if (reason === 'io server disconnect') refused(lastRefusal);
    else events.onStatus('away');
    lastRefusal = undefined;
  });
  wire.on('connect_error', (error: Error & { data?: Refusal }) => {
    if (wire.active) events.onStatus('away');
    else refused(error.data);
  });

  return {
    consider,
    close() {
      isClosed = true;
      wire.disconnect();
    },
  };
}
