import type { World } from './world.ts';

export interface Queue {
  add(event: Record<string, unknown>): void;
  /** Sends what waits, soon; again later if the server is away. */
  flush(): void;
  /** The page goes: hands what still waits to the browser. */
  leave(): void;
}

export const queueLimits = { events: 500, eventBytes: 32_000, batch: 50, batchBytes: 60_000 };
const retryMs = { first: 500, most: 30_000 };
const timeoutMs = 10_000;

/**
 * Events on their way to the server. Each is an entry of the store of its own, so that tabs never overwrite each
 * other's, and keeps its messageId however often it is sent, so that the server counts it once. `prefix`: of its entries.
 */
export function makeQueue(
  world: World,
  url: string,
  writeKey: string,
  onStatus: (isAway: boolean) => void,
  prefix = 'q.',
): Queue {
  const { store } = world;
  const inFlight = new Set<string>();
  let isSending = false;
  let failures = 0;
  let added = 0;

  const take = (): string[] => {
    let bytes = 0;
    return store.keys(prefix).filter((key, index) => {
      bytes += inFlight.has(key) ? 0 : (store.get(key)?.length ?? 0);
      return !inFlight.has(key) && index < queueLimits.batch && bytes < queueLimits.batchBytes;
    });
  };
  const bodyOf = (keys: readonly string[]): string => {
    const sentAt = new Date(world.now()).toISOString();
    const batch = keys.map((key) => store.get(key)).filter(Boolean);
    return `{"writeKey":${JSON.stringify(writeKey)},"sentAt":"${sentAt}","batch":[${batch}]}`;
  };

  /** Resolves with how long to wait before trying again; 0 = it was answered for good. */
  const post = async (body: string): Promise<number> => {
    const backoff = Math.min(retryMs.most, retryMs.first * 2 ** failures);
    try {
      const response = await world.fetch(url, {
        method: 'POST',
        body,
        keepalive: true,
        credentials: 'omit',
        signal: AbortSignal.timeout(timeoutMs),
      });
      const { status } = response;
      if (status > 499 || status === 429 || status === 408)
        return Math.max(backoff, 1_000 * (Number(response.headers.get('retry-after')) || 0));
      const answer = await response.json().catch(() => ({}));
      for (const { code, message } of answer.rejected ?? (response.ok ? [] : [answer.error ?? answer]))
        world.warn(`event refused: ${code}: ${message}`);
      return 0;
    } catch {
      return backoff;
    }
  };

  const send = async (): Promise<void> => {
    for (let keys = take(); keys.length > 0; keys = take()) {
      for (const key of keys) inFlight.add(key);
      const wait = await post(bodyOf(keys));
      inFlight.clear();
      onStatus(wait > 0);
      if (wait > 0) {
        failures += 1;
        // Spread, so that not all visitors come back at once; never sooner than the server asked.
        world.after(wait * (1 + (world.now() % 50) / 100), flush);
        return;
      }
      failures = 0;
      keys.forEach(store.remove);
    }
  };

  const flush = (): void => {
    if (isSending) return;
    isSending = true;
    // Another tab that is sending takes our events too; look again in case it has just finished.
    world
      .alone(`presage.${prefix}`, true, () => send().then(() => true))
      .then((hasSent) => {
        isSending = false;
        if (!hasSent && take().length > 0) world.after(retryMs.first, flush);
      });
  };

  return {
    add(event) {
      const text = JSON.stringify(event);
      if (text.length > queueLimits.eventBytes) return world.warn('event refused: more than 32 KB');
      // Sorts by time, then by order within this page.
      const order =
        world.now().toString(36).padStart(9, '0') + (added++ % 46_656).toString(36).padStart(3, '0');
      store.set(`${prefix}${order}.${world.newId()}`, text);
      const waiting = store.keys(prefix);
      waiting.slice(0, -queueLimits.events).forEach(store.remove);
      // A moment, so that events of one click travel together; not while the server asks for patience.
      if (failures === 0) world.after(20, flush);
    },
    flush,
    leave() {
      const keys = take();
      if (keys.length > 0 && failures === 0 && world.beacon(url, bodyOf(keys))) keys.forEach(store.remove);
    },
  };
}
