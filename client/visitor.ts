import type { World } from './world.ts';

export interface Visitor {
  anonymousId(): string;
  userId(): string | null;
  /** The session id; a new one after 30 minutes without activity. Counts as activity. */
  session(): string;
  identify(userId: string): void;
  /** Forgets who it was: a new anonymous id, no user, a new session. */
  reset(): void;
}

const sessionGapMs = 30 * 60_000;

/** Who the visitor is, shared by all tabs of the site. */
export function makeVisitor({ store, now, newId }: World): Visitor {
  const anonymousId = (): string => {
    const known = store.get('anon');
    if (known !== null) return known;
    const fresh = newId();
    store.set('anon', fresh);
    return fresh;
  };
  return {
    anonymousId,
    userId: () => store.get('user'),
    session() {
      const [id, seenAt] = (store.get('session') ?? '').split(' ');
      const isOver = !id || now() - Number(seenAt) > sessionGapMs;
      const session = isOver ? newId() : id;
      store.set('session', `${session} ${now()}`);
      return session;
    },
    identify: (userId) => store.set('user', userId),
    reset: () => ['anon', 'user', 'session'].forEach(store.remove),
  };
}
