import { z } from 'zod';
import { storedEvent } from './event.ts';

/** Where in the log an event was before it was moved to a user's partition. With `version` it is the move's identity. */
export const movedFrom = z.object({
  /** Version of the log. */
  version: z.number().int().nonnegative(),
  partition: z.number().int().nonnegative(),
  position: z.number().int().nonnegative(),
  /** When it was appended there. */
  appendedAt: z.number().int(),
  anonymousId: z.string().min(1).max(256),
  /** Its event time, never after it was appended. */
  time: z.number().int(),
});
export type MovedFrom = z.infer<typeof movedFrom>;

/** Properties of `$forward`: an event of an anonymous id that an `identify` had made a known user's. */
export const forwardProperties = z.object({ from: movedFrom, event: storedEvent });

/** Properties of `$transfer`: all that was an anonymous id's, and the `identify` that made it a known user's. */
export const transferProperties = forwardProperties.extend({
  /** The state's blob, base64, and the description of its layout; null: there was none. */
  state: z.object({ blob: z.string(), layout: z.string() }).nullable(),
  /** Caps that the anonymous id had taken (stream/state/caps.ts). */
  caps: z.string(),
});
