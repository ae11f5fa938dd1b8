import { type Clock, PresageError } from '../../core/index.ts';
import type { LiveMessage } from '../../schemas/index.ts';
import { limits } from '../limits.ts';

export type LiveListener = (message: LiveMessage) => void;

/**
 * Where live messages meet those who watch. One budget a second for all watchers, spent before a message is even
 * parsed, so that watching costs next to nothing at any load; what does not fit is counted as skipped.
 */
export interface LiveHub {
  /** Whether one more of this kind fits into this second. */
  hasRoom(kind: LiveMessage['kind']): boolean;
  /** Sends to all watchers if there is room, else counts it as skipped. `make` runs only if it will be sent. */
  offer(kind: LiveMessage['kind'], make: () => LiveMessage | null): void;
  /** Adds to the next `skipped` message. */
  skip(count: number): void;
  /** Returns how to stop listening. Throws `too_many_listeners` (retriable). */
  listen(listener: LiveListener): () => void;
  readonly listeners: number;
  /** Begins a new second: tells what was skipped. */
  tick(): void;
}

export function makeLiveHub(clock: Clock, onListeners: (count: number) => void): LiveHub {
  const listeners = new Set<LiveListener>();
  let begun = clock.monotonic();
  let sent = 0;
  let events = 0;
  let skipped = 0;

  const send = (message: LiveMessage): void => {
    for (const listener of listeners) listener(message);
  };
  const tick = (): void => {
    begun = clock.monotonic();
    sent = 0;
    events = 0;
    if (skipped === 0) return;
    const count = skipped;
    skipped = 0;
    sent++;
    send({ kind: 'skipped', count });
  };
  const hasRoom = (kind: LiveMessage['kind']): boolean => {
    if (clock.monotonic() - begun >= 1_000) tick();
    return sent < limits.liveMessagesPerSecond && (kind !== 'event' || events < limits.liveEventsPerSecond);
  };

  return {
    hasRoom,
    tick,
    offer: (kind, make) => {
      if (listeners.size === 0) return;
      if (!hasRoom(kind)) {
        skipped++;
        return;
      }
      const message = make();
      if (message === null) return;
      sent++;
      if (kind === 'event') events++;
      send(message);
    },
    skip: (count) => {
      skipped += count;
    },
    listen: (listener) => {
      if (listeners.size >= limits.liveListeners) {
        throw new PresageError(
          'too_many_listeners',
          `${limits.liveListeners} live views are open already; close one.`,
          {
            retriable: true,
          },
        );
      }
      listeners.add(listener);
      onListeners(listeners.size);
      return () => {
        if (listeners.delete(listener)) onListeners(listeners.size);
      };
    },
    get listeners() {
      return listeners.size;
    },
  };
}
