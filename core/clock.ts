/** Wall-clock time as an argument: only app/ and tests make one, so that everything else can be replayed. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Monotonic milliseconds, for durations and deadlines only. */
  monotonic(): number;
}
