import type { Clock } from '../../core/index.ts';
import { limits } from '../limits.ts';
import { hashOfKey, type KeyInfo, looksLikeKey } from './key.ts';
import type { KeyStore } from './store.ts';

/** Looks a key's text up; undefined = no such key. Answers are at most 0.9 s old. */
export type FindKey = (text: string) => Promise<KeyInfo | undefined>;

interface Cached {
  readonly at: number;
  readonly info: Promise<KeyInfo | undefined>;
}

/**
 * Keeps recent look-ups, also of keys that don't exist, in a bounded map: the least recently read go first.
 * Nothing is answered from memory for longer than `limits.keyMs`: when the storage is away, a request is refused with
 * `keys_unavailable` rather than let in by a key that may have been revoked.
 */
export function cachedKeys(keys: Pick<KeyStore, 'find'>, clock: Clock): FindKey {
  // By hash, so that no key's text stays in memory.
  const cache = new Map<string, Cached>();

  return (text) => {
    if (!looksLikeKey(text)) return Promise.resolve(undefined);
    const hash = hashOfKey(text);
    const now = clock.monotonic();
    const known = cache.get(hash);
    if (known !== undefined && now - known.at < limits.keyMs) return known.info;
    const info = keys.find(text);
    cache.delete(hash);
    cache.set(hash, { at: now, info });
    info.catch(() => {
      if (cache.get(hash)?.info === info) cache.delete(hash);
    });
    if (cache.size > limits.cachedKeys) {
      const oldest = cache.keys().next();
      if (oldest.done !== true) cache.delete(oldest.value);
    }
    return info;
  };
}
