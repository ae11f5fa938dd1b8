import type { KeyStorage } from './storage.ts';

/** Keys in this process only: for tests. */
export function memoryKeyStorage(): KeyStorage {
  const entries = new Map<string, string>();
  return {
    get: async (hash) => entries.get(hash) ?? null,
    all: async () => new Map(entries),
    add: async (hash, value) => {
      if (entries.has(hash)) return false;
      entries.set(hash, value);
      return true;
    },
    swap: async (hash, expected, next) => {
      if (entries.get(hash) !== expected) return false;
      if (next === null) entries.delete(hash);
      else entries.set(hash, next);
      return true;
    },
  };
}
