import { PresageError } from '../../core/index.ts';

/** What a query may be too large in: time, memory, size of the result, length of its own text and of its request. */
const tooLarge = new Set(['sql_failed', 'sql_refused', 'invalid_request', 'body_too_large']);

export const isTooLarge = (error: unknown): boolean =>
  error instanceof PresageError && tooLarge.has(error.code);

/** Asks about all of them; where that is too much for one query, about each half, down to one. In their order. */
export async function inHalves<T, R>(
  items: readonly T[],
  ask: (items: readonly T[]) => Promise<R>,
): Promise<R[]> {
  if (items.length === 0) return [];
  try {
    return [await ask(items)];
  } catch (error) {
    if (!isTooLarge(error) || items.length === 1) throw error;
    const middle = items.length >> 1;
    return [...(await inHalves(items.slice(0, middle), ask)), ...(await inHalves(items.slice(middle), ask))];
  }
}
