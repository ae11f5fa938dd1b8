import { setTimeout as wait } from 'node:timers/promises';
import { io } from 'socket.io-client';
import type { Wire } from './offers.ts';
import { type Client, makePresage } from './presage.ts';
import { openStore } from './store.ts';
import type { World } from './world.ts';

/** What all tabs of a site share in a browser: storage, locks, the server's answers. */
export interface Site {
  readonly storage: Storage;
  readonly requests: { readonly url: string; readonly body: Batch }[];
  readonly beacons: Batch[];
  /** How the server answers the next requests, first to last; after them, 200. null = no connection. */
  readonly answers: ({ status: number; body?: unknown; retryAfter?: string } | null)[];
  readonly warnings: string[];
  now: number;
  /** Lets time pass for everything that waits for it. */
  advance(ms: number): void;
  tab(options?: { id?: string }): Tab;
}

export interface Batch {
  readonly writeKey: string;
  readonly batch: readonly { readonly messageId: string; readonly [name: string]: unknown }[];
}

export interface Tab {
  readonly world: World;
  isVisible: boolean;
  presage(host: string, key?: string): Client;
  /** The page is left: nothing of it runs any more. */
  close(): void;
}

/** Waits up to this pass by themselves in a moment; longer ones only when the test advances the time. */
const soonMs = 2_000;

export function makeSite(): Site {
  const storage = memoryStorage();
  const locks = new Map<string, Promise<unknown>>();
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  let ids = 0;
  const site: Site = {
    storage,
    requests: [],
    beacons: [],
    answers: [],
    warnings: [],
    now: 1_750_000_000_000,
    advance(ms) {
      site.now += ms;
      for (const timer of timers)
        if (timer.at <= site.now) {
          timers.delete(timer);
          timer.run();
        }
    },
    tab({ id = `tab-${ids++}` } = {}) {
      const wires: Wire[] = [];
      let isOpen = true;
      const world: World = {
        store: openStore(() => storage),
        tab: id,
        now: () => site.now,
        elapsed: () => site.now,
        newId: () => `id-${ids++}`,
        after(ms, run) {
          const guarded = () => {
            if (isOpen) run();
          };
          if (ms <= soonMs) void wait(1).then(guarded);
          else timers.add({ at: site.now + ms, run: guarded });
        },
        async fetch(url, init) {
          const body = JSON.parse(String(init.body)) as Batch;
          site.requests.push({ url, body });
          const answer = site.answers.length > 0 ? site.answers.shift() : { status: 200 };
          await wait(1);
          if (!answer) throw new TypeError('Failed to fetch');
          const headers = answer.retryAfter === undefined ? {} : { 'retry-after': answer.retryAfter };
          return new Response(JSON.stringify(answer.body ?? {}), { status: answer.status, headers });
        },
        beacon(_, body) {
          site.beacons.push(JSON.parse(body) as Batch);
          return true;
        },
        async alone(name, orSkip, run) {
          const before = locks.get(name);
          if (before !== undefined && orSkip) return undefined;
          const mine = (before ?? Promise.resolve()).then(run);
          const held = mine.catch(() => undefined);
          locks.set(name, held);
          void held.then(() => locks.get(name) === held && locks.delete(name));
          return mine;
        },
        isVisible: () => tab.isVisible,
        page: () => ({ path: '/' }),
        warn: (message) => site.warnings.push(message),
      };
      const tab: Tab = {
        world,
        isVisible: true,
        presage: (host, key = 'pk_shop') =>
          makePresage({
            key,
            host,
            world,
            open: async (auth) => {
              const wire = io(host, {
                path: '/push',
                transports: ['websocket'],
                forceNew: true,
                reconnectionDelay: 5,
                reconnectionDelayMax: 20,
                auth: (say) => void auth().then(say, () => say({})),
              });
              wires.push(wire);
              return wire;
            },
          }),
        close() {
          isOpen = false;
          for (const wire of wires) wire.disconnect();
        },
      };
      return tab;
    },
  };
  return site;
}

function memoryStorage(): Storage {
  const items = new Map<string, string>();
  return {
    get length() {
      return items.size;
    },
    key: (index) => [...items.keys()][index] ?? null,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
    clear: () => items.clear(),
  };
}
