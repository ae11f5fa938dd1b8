import type { Rig } from './rig.ts';

export interface Stalls {
  /** Milliseconds of the longest time that a partition with something to do did not move. */
  stop(): Promise<number>;
}

/** Looks again and again whether each partition moves. The feed goes on all the while, so each has something to do. */
export function watchStalls({ store }: Pick<Rig, 'store'>, partitions: number): Stalls {
  let isStopped = false;
  let longest = 0;
  const watch = async (partition: number): Promise<void> => {
    let position = -1;
    let since = performance.now();
    while (!isStopped) {
      const head = await store.head(partition);
      const now = performance.now();
      if (head.position !== position) {
        if (position !== -1) longest = Math.max(longest, now - since);
        position = head.position;
        since = now;
      }
      await new Promise((wake) => setTimeout(wake, 20));
    }
    longest = Math.max(longest, performance.now() - since);
  };
  const watching = Array.from({ length: partitions }, (_, partition) => watch(partition));
  return {
    async stop() {
      isStopped = true;
      await Promise.all(watching);
      return Math.round(longest);
    },
  };
}
