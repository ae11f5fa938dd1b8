import { earliestEventTime, mostSkewMs, networkMs } from '../limits.ts';
import { parseTime } from './time.ts';

/**
 * How far ahead the sender's clock is, in ms (behind: negative), as Segment finds it: `sentAt` is what that clock said
 * when the call was sent. 0 where that says nothing: none, or nonsense; a difference that a slow network explains
 * (correcting it would put the events of two calls in the wrong order); or one that no wrong clock explains (a copy of
 * an old call).
 */
export function skewOf(sentAt: unknown, receivedAt: number): number {
  if (sentAt === undefined || sentAt === null) return 0;
  const time = parseTime(sentAt);
  if (!(time >= earliestEventTime)) return 0;
  const skew = time - receivedAt;
  return Math.abs(skew) <= networkMs || Math.abs(skew) > mostSkewMs ? 0 : skew;
}
