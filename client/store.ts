/** localStorage as far as there is one: without it (private windows, quota) things last as long as the page. */
export interface Store {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  /** Keys that begin with `start`, sorted. */
  keys(start: string): string[];
}

const prefix = 'presage.';

/** `area` is called here, because merely naming localStorage throws where it is forbidden. */
export function openStore(area: () => Storage): Store {
  const memory = new Map<string, string>();
  let disk: Storage | null = null;
  try {
    disk = area();
  } catch {}
  return {
    get: (key) => memory.get(key) ?? disk?.getItem(prefix + key) ?? null,
    set(key, value) {
      try {
        if (disk === null) throw 0;
        disk.setItem(prefix + key, value);
        memory.delete(key);
      } catch {
        memory.set(key, value);
      }
    },
    remove(key) {
      memory.delete(key);
      disk?.removeItem(prefix + key);
    },
    keys(start) {
      const found = new Set(memory.keys());
      for (let i = 0; disk !== null && i < disk.length; i++) {
        const key = disk.key(i);
        if (key?.startsWith(prefix)) found.add(key.slice(prefix.length));
      }
      return [...found].filter((key) => key.startsWith(start)).sort();
    },
  };
}
