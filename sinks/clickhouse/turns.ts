import { PresageError } from '../../core/index.ts';

/**
 * Lets `atOnce` calls run and `waiting` more wait for their turn; refuses the others with `warehouse_busy`. Native
 * queries hold a thread of Node's pool of four, which file access and name look-ups need too.
 */
export function turns(atOnce: number, waiting: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const queue: (() => void)[] = [];
  const next = (): void => {
    // A waiting call takes over the place itself, so that nobody slips in between.
    const waiter = queue.shift();
    if (waiter === undefined) running--;
    else waiter();
  };
  return async (work) => {
    if (running >= atOnce) {
      if (queue.length >= waiting)
        throw new PresageError(
          'warehouse_busy',
          `${running} queries are running and ${queue.length} are waiting: try again later.`,
          { retriable: true },
        );
      await new Promise<void>((resolve) => queue.push(resolve));
    } else running++;
    try {
      return await work();
    } finally {
      next();
    }
  };
}
