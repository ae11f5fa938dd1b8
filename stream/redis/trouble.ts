import { messageOf, PresageError } from '../../core/index.ts';

/**
 * What an error from Redis means for the command that got it:
 * - `not_executed`: it had no effect, and trying again can help (not connected, loading, busy, moved...)
 * - `unknown`: the connection died or timed out after it was sent; it may or may not have happened
 * - `no_function`: our library is not loaded there
 * - `full`: above maxmemory; it had no effect
 * - `refused`: Redis answered that it never will (wrong type, no permission, our own argument check)
 */
export type Trouble = 'not_executed' | 'unknown' | 'no_function' | 'full' | 'refused';

const transient =
  /^(LOADING|BUSY|TRYAGAIN|MOVED|ASK|CLUSTERDOWN|MASTERDOWN|READONLY|NOREPLICAS|MISCONF|UNBLOCKED)\b/;

/** Which kind of trouble a thrown value is. */
export function troubleOf(error: unknown): Trouble {
  const message = messageOf(error);
  if (isMistake(error)) return 'refused';
  if (!isReply(error)) {
    return message.startsWith("Stream isn't writeable") ? 'not_executed' : 'unknown';
  }
  if (message.startsWith('OOM') || message.startsWith('-OOM')) return 'full';
  if (message.startsWith('ERR Function not found')) return 'no_function';
  return transient.test(message) ? 'not_executed' : 'refused';
}

/** ioredis gives an answer of the server this name; anything else happened on our side of the wire. */
const isReply = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError';

/** Our own errors and slips of code say nothing about the connection. */
const isMistake = (error: unknown): boolean =>
  error instanceof PresageError ||
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof SyntaxError;
