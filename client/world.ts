import type { Store } from './store.ts';

/** All that the client needs of a browser, so that tests can be one. */
export interface World {
  readonly store: Store;
  /** This tab's own id; lasts over its page loads. */
  readonly tab: string;
  /** Unix ms. */
  now(): number;
  /** Monotonic ms. */
  elapsed(): number;
  /** A fresh unique id. */
  newId(): string;
  after(ms: number, run: () => void): void;
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** sendBeacon: true when the browser has taken it. */
  beacon(url: string, body: string): boolean;
  /**
   * Runs alone among all tabs of this origin where the browser can (Web Locks; elsewhere at once). With `orSkip` it
   * does not wait its turn but resolves with undefined.
   */
  alone<T>(name: string, orSkip: boolean, run: () => T | Promise<T>): Promise<T | undefined>;
  isVisible(): boolean;
  /** The page as Segment's `context.page` describes it. */
  page(): Record<string, string>;
  warn(message: string): void;
}
