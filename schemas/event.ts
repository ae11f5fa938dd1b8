import { z } from 'zod';

/**
 * An event as the log holds it (JSON, UTF-8), whoever produced it. The gateway, `feed`, sources and the engine itself
 * all write this; the worker and the sink read it. Anything else found in the log goes to the dead letters.
 */
export const storedEvent = z.object({
  /** Version of this envelope. */
  v: z.literal(1),
  /** The producer's message id: the event's identity for de-duplication. At most 256 characters. */
  id: z.string().min(1).max(256),
  tenant: z.string().min(1).max(64),
  /** Event type: a track call's event name, or `page`, `screen`, `identify`, `group`, `alias`; ours begin with `$`. */
  type: z.string().min(1).max(256),
  userId: z.string().min(1).max(256).optional(),
  anonymousId: z.string().min(1).max(256).optional(),
  /** The client's session id, where it has one. */
  session: z.string().min(1).max(256).optional(),
  /** Event time as the producer stated it, Unix milliseconds. */
  time: z.number().int(),
  properties: z.record(z.string(), z.unknown()),
  context: z.record(z.string(), z.unknown()).optional(),
  /** Where it came from: `http`, `browser`, `feed:<run>`, `simulator`, `engine`. */
  source: z.string().min(1).max(128),
  /** Hash of the event type's declared schema when it was accepted; absent for undeclared types. */
  schema: z.string().max(64).optional(),
});
export type StoredEvent = z.infer<typeof storedEvent>;

/** Event types that the engine itself writes to the log. A client may not send a type that begins with `$`. */
export const systemTypes = {
  /** properties: exposureProperties */
  exposure: '$exposure',
  /** properties: outcomeProperties */
  outcome: '$outcome',
  /** properties: reviewProperties (schemas/review.ts); a person's verdict on a decision, or that none came in time */
  review: '$review',
  /** properties: {state: 'connected' | 'disconnected'} */
  session: '$session',
  /** properties: controlProperties; one to every partition */
  control: '$control',
  /** properties: rejectedProperties; a record of a source that can't be an event, on its way to the dead letters */
  rejected: '$rejected',
  /** properties: transferProperties (schemas/identity.ts); an anonymous id became this user */
  transfer: '$transfer',
  /** properties: forwardProperties; an event of an anonymous id that became this user before */
  forward: '$forward',
  /** properties: tickProperties; the engine's word, to one partition, that event time has come so far */
  tick: '$tick',
} as const;

export const exposureProperties = z.object({
  decision: z.string(),
  action: z.string(),
  placement: z.string(),
});

export const outcomeNames = [
  'accepted',
  'dismissed',
  'expired',
  'ignored',
  'converted',
  'resolved',
  'reopened',
  'reversed',
] as const;
export const outcomeProperties = z.object({
  decision: z.string(),
  action: z.string(),
  placement: z.string(),
  outcome: z.enum(outcomeNames),
  /** Value in the tenant's currency, for `converted`. */
  value: z.number().optional(),
});

export const rejectedProperties = z.object({
  code: z.string().max(64),
  message: z.string().max(4_000),
  /** The record as the source had it, base64. */
  bytes: z.string(),
});

export const tickProperties = z.object({
  /** When it was written, Unix milliseconds. */
  clock: z.number().int(),
  /** The subject that is ahead of all others, and how far its own clock has come. */
  leader: z.object({ leader: z.string(), time: z.number().int() }).optional(),
});

export const controlProperties = z.discriminatedUnion('control', [
  z.object({ control: z.enum(['stop', 'resume']), by: z.string(), reason: z.string().optional() }),
  /** From here on the partition's state is of this generation, and the workspace is the one of this hash. */
  z.object({
    control: z.literal('activate'),
    by: z.string(),
    generation: z.number().int().positive(),
    workspace: z.string(),
  }),
  /** From here on the workspace is the one of this hash, on the state that there is. */
  z.object({ control: z.literal('use'), by: z.string(), workspace: z.string() }),
]);
