import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { io, type Socket } from 'socket.io-client';
import { asSubjectId, type Clock, type Health, type Logger, PresageError } from '../../core/index.ts';
import type { DecisionRecord, StoredEvent } from '../../schemas/index.ts';
import type { OutboxSource } from '../../stream/follow.ts';
import type { EventLog, NewRecord } from '../../stream/log/port.ts';
import type { StoredOutboxEntry } from '../../stream/state/port.ts';
import type { Authenticate } from './identity.ts';
import { type Inbox, memoryInbox } from './inbox/index.ts';
import type { WireOffer } from './protocol.ts';
import { makePush, type PushDeps, type Pushed } from './push.ts';

/** What push's tests run it in: a real HTTP server, and a store and a log that a test can look into and break. */
export interface Rig {
  readonly url: string;
  readonly clock: Clock & { advance(ms: number): void };
  readonly store: FakeOutbox;
  readonly log: FakeLog;
  readonly pushed: Pushed[];
  readonly registry: () => Registry;
  readonly stopped: Set<string>;
  /** Publishes a decision that offers something; returns its id. */
  publish(subject: string, change?: Partial<DecisionRecord>): string;
  connect(auth: Record<string, unknown>): Browser;
  readonly health: () => Health;
  /** Push as a new process would be: same port, same Redis, nothing else remembered. */
  restart(whileDown?: () => void): Promise<void>;
  close(): Promise<void>;
}

export const partitions = 4;
export const visitor = (anonymousId: string) => ({ key: 'pk_shop', anonymousId });

/** Stands for the gateway's sessions: keys of two tenants, tokens `<tenant> <userId>`. */
export const authenticate: Authenticate = async ({ key, anonymousId, token }) => {
  if (typeof token === 'string' && /^(shop|rival) \w+$/.test(token)) {
    const [tenant = '', user = ''] = token.split(' ');
    return { tenant, subject: asSubjectId(`u:${user}`), session: 's1' };
  }
  if (token !== undefined) throw new PresageError('bad_token', 'The session token is not valid.');
  if (key !== 'pk_shop' && key !== 'pk_rival') throw new PresageError('bad_key', 'The key is not known.');
  return { tenant: key.slice(3), subject: asSubjectId(`a:${String(anonymousId)}`), session: null };
};

/** `site` answers what is not push. */
export async function makeRig({
  site = (_, response) => void response.writeHead(404).end(),
  ...options
}: Partial<PushDeps> & { inbox?: Inbox; site?: RequestListener } = {}): Promise<Rig> {
  const clock = manualClock();
  const store = fakeOutbox();
  const log = fakeLog();
  const pushed: Pushed[] = [];
  const stopped = new Set<string>();
  const browsers = new Set<Browser>();
  const inbox = options.inbox ?? memoryInbox();
  let registry = new Registry();
  let decisions = 0;

  const run = async (port: number) => {
    const server = createServer(site);
    await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
    registry = new Registry();
    const push = makePush({
      server,
      store,
      log,
      authenticate,
      isStopped: (tenant) => stopped.has(tenant),
      clock,
      logger: silent,
      onPushed: (each) => pushed.push(each),
      ...options,
      registry,
      inbox,
    });
    await push.start();
    return {
      port: (server.address() as AddressInfo).port,
      health: () => push.health(),
      stop: async () => {
        await push.stop();
        await closeServer(server);
      },
    };
  };
  let running = await run(0);
  const url = `http://127.0.0.1:${running.port}`;

  return {
    url,
    clock,
    store,
    log,
    pushed,
    stopped,
    registry: () => registry,
    publish(subject, change = {}) {
      const id = change.id ?? `d${decisions++}`;
      const { partition } = store.publish({ ...decisionOf(subject, clock.now()), ...change, id });
      return partition >= 0 ? id : '';
    },
    connect(auth) {
      const browser = openBrowser(url, auth);
      browsers.add(browser);
      return browser;
    },
    health: () => running.health(),
    async restart(whileDown) {
      await running.stop();
      whileDown?.();
      running = await run(running.port);
    },
    async close() {
      for (const browser of browsers) browser.socket.close();
      await running.stop();
    },
  };
}

export interface Browser {
  readonly socket: Socket;
  readonly offers: WireOffer[];
  ids(): string[];
  ask(name: string, body: unknown): Promise<Record<string, unknown>>;
}

function openBrowser(url: string, auth: Record<string, unknown>): Browser {
  const socket = io(url, {
    path: '/push',
    auth,
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 5,
    reconnectionDelayMax: 20,
  });
  const offers: WireOffer[] = [];
  socket.on('offer', (offer: WireOffer, received: () => void) => {
    offers.push(offer);
    received();
  });
  return {
    socket,
    offers,
    ids: () => offers.map((offer) => offer.decision),
    ask: (name, body) => socket.timeout(15_000).emitWithAck(name, body),
  };
}

export interface FakeLog extends Pick<EventLog, 'partitions' | 'append'> {
  readonly events: StoredEvent[];
  readonly records: NewRecord[];
  /** While set, appends fail with it. */
  failure: PresageError | null;
  of(type: string): StoredEvent[];
}

export function fakeLog(): FakeLog {
  const events: StoredEvent[] = [];
  const records: NewRecord[] = [];
  return {
    partitions,
    events,
    records,
    failure: null,
    of: (type) => events.filter((event) => event.type === type),
    async append(batch) {
      if (this.failure !== null) throw this.failure;
      for (const record of batch) {
        records.push(record);
        events.push(JSON.parse(Buffer.from(record.value).toString()) as StoredEvent);
      }
      return batch.map((_, index) => records.length + index);
    },
  };
}

export interface FakeOutbox extends OutboxSource {
  publish(decision: DecisionRecord): { partition: number; offset: number };
  raw(partition: number, entry: Omit<StoredOutboxEntry, 'offset'>): void;
  trim(partition: number, below: number): void;
  /** As after Redis lost its last writes. */
  rewind(partition: number, end: number): void;
  saved(partition: number): number | null;
  failure: PresageError | null;
}

export function fakeOutbox(): FakeOutbox {
  const streams = Array.from({ length: partitions }, () => ({
    start: 0,
    entries: [] as StoredOutboxEntry[],
  }));
  const states = new Map<number, string>();
  const waiting = new Set<() => void>();
  const at = (partition: number) => streams[partition] ?? { start: 0, entries: [] };
  const endOf = (partition: number) => at(partition).start + at(partition).entries.length;
  return {
    failure: null,
    publish(decision) {
      const { partition } = decision.log;
      const choice = { action: decision.action, caps: [], offer: decision.offer, mode: decision.mode };
      const offset = endOf(partition);
      const payload = JSON.stringify({ record: decision, choices: [choice] });
      const resolution = {
        slots: [{ chosen: decision.action === null ? -1 : 0, available: [0] }],
        capsSeen: [],
      };
      this.raw(partition, { kind: 'decision', payload, resolution, mark: `of ${decision.id}` });
      return { partition, offset };
    },
    raw(partition, entry) {
      at(partition).entries.push({ ...entry, offset: endOf(partition) });
      for (const wake of waiting) wake();
    },
    trim(partition, below) {
      const stream = at(partition);
      stream.entries.splice(0, below - stream.start);
      stream.start = below;
    },
    rewind(partition, end) {
      at(partition).entries.length = end - at(partition).start;
    },
    saved: (partition) => {
      const state = states.get(partition);
      return state === undefined ? null : (JSON.parse(state) as { position: number }).position;
    },
    async readOutbox(partition, offset, limit, _waitMs, after) {
      if (this.failure !== null) throw this.failure;
      const stream = at(partition);
      if (offset < stream.start) throw new PresageError('outbox_lost', 'trimmed');
      if (offset >= endOf(partition))
        await new Promise<void>((resolve) => {
          const done = () => {
            waiting.delete(done);
            clearTimeout(timer);
            resolve();
          };
          const timer = setTimeout(done, 20);
          waiting.add(done);
        });
      const before = stream.entries[offset - 1 - stream.start];
      if (after && before !== undefined && before.mark !== after)
        throw new PresageError('outbox_lost', 'another history');
      return stream.entries.slice(offset - stream.start, offset - stream.start + limit);
    },
    async outboxRange(partition) {
      return { start: at(partition).start, end: endOf(partition) };
    },
    async readerState(partition) {
      return states.get(partition) ?? null;
    },
    async saveReaderState(partition, _reader, state) {
      states.set(partition, state);
    },
  };
}

export function manualClock(start = 1_750_000_000_000): Clock & { advance(ms: number): void } {
  let now = start;
  return {
    now: () => now,
    monotonic: () => now - start,
    advance: (ms) => {
      now += ms;
    },
  };
}

/** A decision that offers free shipping in the banner for ten minutes. */
export function decisionOf(subject: string, now: number): DecisionRecord {
  return {
    id: 'd',
    tenant: 'shop',
    subject,
    session: null,
    placement: 'banner',
    startedBy: { kind: 'trigger', trigger: 'cart_grew', event: 'e1', eventType: 'product_added' },
    time: now,
    simulated: false,
    log: { partition: 1, position: 7 },
    features: {},
    context: {},
    candidates: [],
    available: [],
    capsSeen: [],
    action: 'free_shipping',
    choicePropensity: 1,
    deterministic: true,
    rung: 'rules',
    rungReason: 'no model',
    model: null,
    policy: 'p',
    workspace: 'w',
    mode: 'act',
    purpose: null,
    offer: { content: { title: 'Ships free' }, expiresAt: now + 600_000 },
    recorded: true,
    lookups: [],
    timings: { receivedAt: now - 12, decidedAt: now, featuresMs: 0, scoringMs: 0, totalMs: 1 },
  };
}

const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((closed) => server.close(() => closed()));
}
