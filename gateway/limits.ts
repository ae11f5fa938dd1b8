/** Every bound of the gateway in one place. Sizes in bytes, times in milliseconds. */
export const limits = {
  /** Segment's documented limits of the tracking API. */
  eventBytes: 32 * 1024,
  batchBytes: 500 * 1024,
  batchEvents: 2_500,
  /** /v1/ingest, for `presage feed`. */
  feedBytes: 4 * 1024 * 1024,
  feedEvents: 2_000,
  /** Bodies of everything else. */
  bodyBytes: 64 * 1024,
  headerBytes: 16 * 1024,
  /** Nesting of objects and lists in one event; deeper ones could exhaust a stack further down. */
  depth: 32,
  /** Request bodies held at once, over all requests. */
  bodiesInHandBytes: 128 * 1024 * 1024,
  /** A body over its limit is read on and thrown away up to this much, so that the client reads our answer. */
  drainBytes: 8 * 1024 * 1024,
  connections: 10_000,
  headersMs: 10_000,
  requestMs: 30_000,
  handlerMs: 30_000,
  sqlMs: 120_000,
  idleConnectionMs: 75_000,
  /** How long `stop()` lets requests finish before it cuts their connections. */
  drainMs: 5_000,
  cachedKeys: 10_000,
  /** How old a cached key may be: a revocation in another process is seen within it. */
  keyMs: 900,
  keys: 10_000,
  signInLinks: 100,
  signInLinkMs: 15 * 60_000,
  consoleSessionMs: 12 * 3_600_000,
  sessionTokenMs: 24 * 3_600_000,
  rotationOverlapMs: 24 * 3_600_000,
  liveListeners: 20,
  liveMessagesPerSecond: 30,
  /** Of which at most so many are events, so that a flood of them never hides the decisions. */
  liveEventsPerSecond: 20,
  liveBufferBytes: 256 * 1024,
  /** A live tail further behind than this jumps to the end. */
  liveLagRecords: 500,
  throughputSeconds: 900,
} as const;

/** Before it, a timestamp is a mistake (seconds taken for milliseconds, a clock at its epoch). */
export const earliestEventTime = Date.UTC(2000, 0, 1);
/** After receive time plus this, too: clocks are wrong by hours at most. */
export const futureToleranceMs = 24 * 3_600_000;
/** So long may a call be on its way: a `sentAt` that differs by less says nothing about the sender's clock. */
export const networkMs = 30_000;
/** A `sentAt` further off is no wrong clock but an old call, sent again. */
export const mostSkewMs = 24 * 3_600_000;
