import type { Clock } from '../core/index.ts';

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
