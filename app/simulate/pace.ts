import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves after `ms`, or at once when the signal is aborted. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** Returns a function that resolves when the caller may send its next event: at most `perSecond` in all. */
export function makePace(perSecond: number, signal: AbortSignal): () => Promise<void> {
  const gapMs = 1_000 / perSecond;
  let next = 0;
  return async () => {
    const now = performance.now();
    next = Math.max(now, next + gapMs);
    if (next > now) await pause(next - now, signal);
  };
}
