import { askFor, type DecidedOffer } from './decide.ts';
import { type Offer, type Offers, receiveOffers, type Wire } from './offers.ts';
import { makeQueue } from './queue.ts';
import { makeVisitor } from './visitor.ts';
import type { World } from './world.ts';

export type Properties = Record<string, unknown>;
/** A token of `POST /v1/sessions`, or how to get a fresh one; it is asked for whenever the connection is made. */
export type Token = string | (() => Promise<string>);
export type Status = 'connected' | 'away' | 'refused';

interface Listeners {
  /** An offer for this tab to show. Call `offer.shown()` when it is on the screen. */
  offer: (offer: Offer) => void;
  /** An unanswered offer's time is over: take it off the screen. */
  expired: (offer: Offer) => void;
  /** Whether the server can be reached and accepts the credentials. */
  status: (status: Status) => void;
}

export interface Presage {
  track(name: string, properties?: Properties): void;
  page(name?: string, properties?: Properties): void;
  /** Names the visitor: events carry the user id from now on. Offers for a known user need `session`. */
  identify(userId: string, traits?: Properties): void;
  /**
   * Asks what to show in a placement now; null: nothing, or no answer in two seconds. `context` is what expressions
   * read as `context.<name>`. About the anonymous visitor: a known user's decisions are for the backend to ask.
   */
  decide(placement: string, context?: Properties): Promise<DecidedOffer | null>;
  /** Opens the live session of a known user; null goes back to the anonymous visitor. */
  session(token: Token | null): void;
  /** Forgets the visitor, as on signing out. */
  reset(): void;
  /** Returns how to stop listening. The first `offer` listener opens the connection. */
  on<Name extends keyof Listeners>(name: Name, listener: Listeners[Name]): () => void;
  readonly anonymousId: string;
}

export interface Options {
  /** The public key of the page. */
  readonly key: string;
  /** Where Presage is: `https://host`. */
  readonly host: string;
  readonly world: World;
  /** Opens a socket; `auth` is asked at each connection. */
  readonly open: (auth: () => Promise<Properties>) => Promise<Wire>;
}

export type Client = Presage & {
  /** The tab became visible. */
  wake(): void;
  /** The browser is online again. */
  online(): void;
  /** The page goes. */
  leave(): void;
};

export function makePresage({ key, host, world, open }: Options): Client {
  const visitor = makeVisitor(world);
  const listeners: { [Name in keyof Listeners]: Set<Listeners[Name]> } = {
    offer: new Set(),
    expired: new Set(),
    status: new Set(),
  };
  let token: Token | null = null;
  let offers: Offers | null = null;
  let connection = 0;
  let status: Status | null = null;

  const setStatus = (next: Status): void => {
    if (next === status) return;
    status = next;
    tell(listeners.status, next);
  };
  const queue = makeQueue(world, `${host}/v1/batch`, key, (isAway) => {
    if (isAway || offers === null) setStatus(isAway ? 'away' : 'connected');
  });

  const reports = makeQueue(world, `${host}/v1/outcomes`, key, () => {}, 'o.');

  const send = (type: string, fields: Properties): void => {
    const userId = visitor.userId();
    queue.add({
      type,
      ...fields,
      messageId: world.newId(),
      timestamp: new Date(world.now()).toISOString(),
      anonymousId: visitor.anonymousId(),
      ...(userId === null ? {} : { userId }),
      context: { page: world.page(), sessionId: visitor.session(), library: { name: 'presage.js' } },
    });
  };

  const credentials = async (): Promise<Properties> => {
    if (token !== null) return { token: typeof token === 'string' ? token : await token() };
    return { key, anonymousId: visitor.anonymousId(), session: visitor.session() };
  };

  const connect = async (): Promise<void> => {
    if (listeners.offer.size === 0) return;
    const mine = ++connection;
    offers?.close();
    offers = null;
    try {
      const wire = await open(credentials);
      if (mine !== connection) return void wire.disconnect();
      offers = receiveOffers(world, wire, {
        hasListener: () => listeners.offer.size > 0,
        onOffer: (offer) => tell(listeners.offer, offer),
        onExpired: (offer) => tell(listeners.expired, offer),
        onStatus: setStatus,
      });
    } catch {
      setStatus('away');
      world.after(5_000, () => {
        if (mine === connection) void connect();
      });
    }
  };

  return {
    track(event, properties = {}) {
      if (typeof event !== 'string' || event === '') return world.warn('track needs the name of an event');
      send('track', { event, properties });
    },
    page(name, properties = {}) {
      send('page', {
        ...(name === undefined ? {} : { name }),
        properties: { ...world.page(), ...properties },
      });
    },
    identify(userId, traits = {}) {
      if (typeof userId !== 'string' || userId === '') return world.warn('identify needs a user id');
      visitor.identify(userId);
      send('identify', { traits });
    },
    decide: (placement, context = {}) =>
      askFor(
        world,
        `${host}/v1/decide`,
        {
          writeKey: key,
          anonymousId: visitor.anonymousId(),
          session: visitor.session(),
          placement,
          context,
        },
        reports.add,
      ),
    session(next) {
      token = next;
      void connect();
    },
    reset() {
      visitor.reset();
      token = null;
      void connect();
    },
    on(name, listener) {
      listeners[name].add(listener);
      if (name === 'offer') {
        if (connection === 0) void connect();
        else offers?.consider();
      }
      if (name === 'status' && status !== null) (listener as Listeners['status'])(status);
      return () => {
        listeners[name].delete(listener);
      };
    },
    get anonymousId() {
      return visitor.anonymousId();
    },
    wake: () => offers?.consider(),
    online() {
      queue.flush();
      reports.flush();
    },
    leave() {
      queue.leave();
      reports.leave();
    },
  };
}

function tell<T>(listeners: ReadonlySet<(what: T) => void>, what: T): void {
  for (const listener of listeners) listener(what);
}
