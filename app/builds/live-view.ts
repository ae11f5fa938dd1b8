/** An object that is always what `current` gives: for parts that are made once and look at it at each use. */
export function liveView<T extends object>(current: () => T): T {
  return new Proxy({} as T, {
    get: (_target, name) => Reflect.get(current(), name),
    has: (_target, name) => Reflect.has(current(), name),
  });
}
