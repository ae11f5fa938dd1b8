/**
 * What `work` resolves with, or rejects with what `late` makes when it takes longer. The work itself goes on: whoever
 * began it has to bound it.
 */
export async function within<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  if (!(ms < mostMs)) return work;
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), Math.max(0, ms));
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}

/** Longer ones a timer cannot wait for. */
const mostMs = 2 ** 31 - 1;
