import { ApiError } from './http.ts';
import { makeStore, type Store } from './store.ts';

/** The newest answer, kept through failures, so that a page can say how old its figures are. */
export interface Polled<T> {
  readonly data: T | null;
  /** Unix ms of the browser at which `data` came. */
  readonly at: number;
  /** Why the last try failed; null when it did not. */
  readonly error: ApiError | null;
}

export interface Poll<T> extends Store<Polled<T>> {
  /** Asks now, without waiting for the next turn. */
  readonly refresh: () => void;
}

/**
 * Asks every `everyMs` as long as somebody follows and the page is visible. One request at a time; the pause counts
 * from the answer, so that a slow gateway is asked less often. `load` gets the last answer, to ask for news only.
 */
export function makePoll<T>(load: (last: T | null) => Promise<T>, everyMs: number): Poll<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running = false;
  let active = false;

  const store = makeStore<Polled<T>>({ data: null, at: 0, error: null }, () => {
    active = true;
    document.addEventListener('visibilitychange', refresh);
    refresh();
    return () => {
      active = false;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', refresh);
    };
  });

  function refresh(): void {
    clearTimeout(timer);
    if (running || !active || document.hidden) return;
    running = true;
    load(store.get().data)
      .then(
        (data) => store.set({ data, at: Date.now(), error: null }),
        (error: unknown) => store.set({ ...store.get(), error: asApiError(error) }),
      )
      .finally(() => {
        running = false;
        if (active) timer = setTimeout(refresh, everyMs);
      });
  }

  return { get: store.get, subscribe: store.subscribe, refresh };
}

export const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError
    ? error
    : new ApiError(0, 'console', error instanceof Error ? error.message : String(error));
