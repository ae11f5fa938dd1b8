import { makeStore, type Store } from './store.ts';

/** Whether the gateway takes us for signed in. `in` until it says otherwise: asking first would only cost time. */
export type Session = 'in' | 'out';

const session = makeStore<Session>('in');
export const sessionStore: Store<Session> = session;

export const signedOut = (): void => session.set('out');

/** Forget that we were refused: the next answer decides. */
export const tryAgain = (): void => session.set('in');
