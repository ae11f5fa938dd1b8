import type { Wire } from './offers.ts';
import { openStore } from './store.ts';
import type { World } from './world.ts';

/** The page we run in. */
export function browserWorld(): World {
  const store = openStore(() => localStorage);
  return {
    store,
    tab: tabId(),
    now: () => Date.now(),
    elapsed: () => performance.now(),
    newId,
    after: (ms, run) => void setTimeout(run, ms),
    fetch: (url, init) => fetch(url, init),
    beacon: (url, body) => navigator.onLine && navigator.sendBeacon(url, body),
    alone: async (name, orSkip, run) => {
      const locks: LockManager | undefined = navigator.locks;
      if (!locks) return run();
      return locks.request(name, { ifAvailable: orSkip }, (lock) => (lock === null ? undefined : run()));
    },
    isVisible: () => document.visibilityState === 'visible',
    page: () => ({
      path: location.pathname,
      url: location.href,
      search: location.search,
      title: document.title,
      referrer: document.referrer,
    }),
    warn: (message) => console.warn(`presage: ${message}`),
  };
}

/** crypto.randomUUID exists on secure pages only. */
function newId(): string {
  if (crypto.randomUUID) return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}

/** Kept over page loads, so that an offer claimed just before a navigation shows on the next page. */
function tabId(): string {
  try {
    const known = sessionStorage.getItem('presage.tab');
    if (known !== null) return known;
    const fresh = newId();
    sessionStorage.setItem('presage.tab', fresh);
    return fresh;
  } catch {
    return newId();
  }
}

type SocketIo = (url: string, options: object) => Wire;
let loading: Promise<SocketIo> | null = null;

/** Opens a socket; socket.io-client is loaded from Presage itself, when it is first needed. */
export async function openWire(host: string, auth: () => Promise<object>): Promise<Wire> {
  loading ??= loadSocketIo(host);
  const io = await loading.catch((error) => {
    loading = null;
    throw error;
  });
  return io(host, {
    path: '/push',
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelayMax: 10_000,
    forceNew: true,
    // Without a token there is nothing to say; the server's refusal then brings us back later.
    auth: (say: (credentials: object) => void) => void auth().then(say, () => say({})),
  });
}

function loadSocketIo(host: string): Promise<SocketIo> {
  const page = window as typeof window & { io?: SocketIo };
  if (page.io) return Promise.resolve(page.io);
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `${host}/push/socket.io.min.js`;
    script.onload = () => (page.io ? resolve(page.io) : reject(new Error('no socket.io')));
    script.onerror = () => {
      script.remove();
      reject(new Error('no socket.io'));
    };
    document.head.append(script);
  });
}
