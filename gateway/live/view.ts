import type { Clock } from '../../core/index.ts';
import type { LiveMessage } from '../../schemas/index.ts';
import { type LiveListener, makeLiveHub } from './hub.ts';
import { startTail, type TailParts } from './tail.ts';

/** The live view as the rest of the program sees it. */
export interface LiveView {
  /** Shows what neither log nor outbox tells: offers handed to live sockets. Cheap when no one watches. */
  publish(message: LiveMessage): void;
  /** Returns how to stop listening. Throws `too_many_listeners`. */
  listen(listener: LiveListener): () => void;
  stop(): Promise<void>;
}

/** Reads only while someone watches. */
export function makeLiveView(
  parts: Omit<TailParts, 'hub'> & { clock: Clock; onListeners: (count: number) => void },
): LiveView {
  const hub = makeLiveHub(parts.clock, parts.onListeners);
  let tail: ReturnType<typeof startTail> | null = null;
  let timer: ReturnType<typeof setInterval> | null = null;
  let ending: Promise<void> = Promise.resolve();

  function end(): void {
    if (timer !== null) clearInterval(timer);
    timer = null;
    const stopped = tail?.stop() ?? Promise.resolve();
    tail = null;
    ending = Promise.all([ending, stopped]).then(() => {});
  }

  return {
    publish: (message) => hub.offer(message.kind, () => message),
    listen: (listener) => {
      const leave = hub.listen(listener);
      tail ??= startTail({ ...parts, hub });
      timer ??= setInterval(() => hub.tick(), 1_000);
      return () => {
        leave();
        if (hub.listeners === 0) end();
      };
    },
    stop: async () => {
      end();
      await ending;
    },
  };
}
