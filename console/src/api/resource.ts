import { useCallback, useEffect, useRef, useState } from 'react';
import { type ApiError, getJson } from './http.ts';
import { asApiError } from './poll.ts';

export interface Resource<T> {
  /** The newest answer to this path; null before the first. */
  readonly data: T | null;
  readonly error: ApiError | null;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

interface Held<T> {
  readonly path: string | null;
  readonly data: T | null;
  readonly error: ApiError | null;
  readonly isLoading: boolean;
}

/** Milliseconds until it is asked again, from what is known; null = not by itself. */
export type Pace<T> = (data: T | null) => number | null;

/** One GET, asked again when the path changes, on `reload`, and as `pace` says while the page is visible. */
export function useResource<T>(path: string, pace: Pace<T> | null = null): Resource<T> {
  const [held, setHeld] = useState<Held<T>>({ path: null, data: null, error: null, isLoading: true });
  const [turn, setTurn] = useState(0);
  const asked = useRef<string | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `turn` is what asks again.
  useEffect(() => {
    const abort = new AbortController();
    const isNew = asked.current !== path;
    asked.current = path;
    setHeld((before) =>
      isNew ? { path, data: null, error: null, isLoading: true } : { ...before, isLoading: true },
    );
    getJson<T>(path, abort.signal).then(
      (data) => setHeld({ path, data, error: null, isLoading: false }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setHeld((before) => ({ ...before, path, error: asApiError(error), isLoading: false }));
      },
    );
    return () => abort.abort();
  }, [path, turn]);

  const waitMs = held.isLoading || pace === null ? null : pace(held.data);
  useEffect(() => {
    if (waitMs === null || held.isLoading) return;
    const again = () => setTurn((count) => count + 1);
    const timer = setTimeout(() => {
      if (document.hidden) document.addEventListener('visibilitychange', again, { once: true });
      else again();
    }, waitMs);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', again);
    };
  }, [waitMs, held]);

  const reload = useCallback(() => setTurn((count) => count + 1), []);
  // The answer to another path is never shown under this one.
  const isCurrent = held.path === path;
  return {
    data: isCurrent ? held.data : null,
    error: isCurrent ? held.error : null,
    isLoading: !isCurrent || held.isLoading,
    reload,
  };
}
