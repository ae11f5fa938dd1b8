import type { Clock } from '../../core/index.ts';

/** What one browser, one visitor and all of them together may ask of push. */
export interface PushLimits {
  /** Bytes of one message; a larger one closes the connection. */
  readonly messageBytes: number;
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  /** Messages refused on one socket before it is closed. */
  readonly refusalsPerSocket: number;
  readonly socketsPerSubject: number;
  readonly sockets: number;
  /** New connections per client address and second; a shop behind one proxy needs more. */
  readonly connectionsPerSecond: number;
  readonly connectionBurst: number;
  /** How long a browser may take to acknowledge an offer before it counts as not received. */
  readonly acknowledgeMs: number;
  /** `$session` events on their way to the log; above it they are counted and left out. */
  readonly sessionEvents: number;
}

export const defaultLimits: PushLimits = {
  messageBytes: 16 * 1024,
  messagesPerSecond: 20,
  messageBurst: 60,
  refusalsPerSocket: 200,
  socketsPerSubject: 20,
  sockets: 20_000,
  connectionsPerSecond: 50,
  connectionBurst: 200,
  acknowledgeMs: 10_000,
  sessionEvents: 1_000,
};

/** Returns a function that says whether one more is allowed now. */
export function tokenBucket(perSecond: number, burst: number, clock: Clock): () => boolean {
  let tokens = burst;
  let filledAt = clock.monotonic();
  return () => {
    const now = clock.monotonic();
    tokens = Math.min(burst, tokens + ((now - filledAt) * perSecond) / 1000);
    filledAt = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}

/** A token bucket per name, for at most `names` names: the one unused for longest makes room. */
export function tokenBuckets(
  perSecond: number,
  burst: number,
  clock: Clock,
  names = 10_000,
): (name: string) => boolean {
  const buckets = new Map<string, () => boolean>();
  return (name) => {
    const bucket = buckets.get(name) ?? tokenBucket(perSecond, burst, clock);
    buckets.delete(name);
    buckets.set(name, bucket);
    if (buckets.size > names) for (const oldest of buckets.keys()) return buckets.delete(oldest) && bucket();
    return bucket();
  };
}
