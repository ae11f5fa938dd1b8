import { createHash } from 'node:crypto';
import type { Clock } from '../../core/index.ts';
import { limits } from '../limits.ts';

/** One-time sign-in tokens of this process. */
export interface SignInLinks {
  /** A token that works once within 15 minutes. The oldest unused one is forgotten beyond 100. */
  make(): string;
  /** Whether it worked; it does not again. */
  use(token: string): boolean;
}

export function makeSignInLinks(clock: Clock, randomBytes: (length: number) => Uint8Array): SignInLinks {
  // Hashes, so that what is in memory can't sign anyone in.
  const open = new Map<string, number>();
  const digest = (token: string): string => createHash('sha256').update(token).digest('hex');
  return {
    make: () => {
      const token = Buffer.from(randomBytes(32)).toString('base64url');
      open.set(digest(token), clock.monotonic() + limits.signInLinkMs);
      const oldest = open.keys().next();
      if (open.size > limits.signInLinks && oldest.done !== true) open.delete(oldest.value);
      return token;
    },
    use: (token) => {
      const key = digest(token);
      const until = open.get(key);
      open.delete(key);
      return until !== undefined && clock.monotonic() < until;
    },
  };
}
