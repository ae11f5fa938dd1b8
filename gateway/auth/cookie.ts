import { createHash } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../../core/index.ts';
import { limits } from '../limits.ts';

export const consoleCookie = 'presage_console';
const audience = 'presage-console';

/** The console's sign-in: a signed cookie, so that it outlives a restart as long as the instance's secret does. */
export interface ConsoleSessions {
  issue(): Promise<string>;
  /** Whether it was issued here and is still good. */
  verify(cookie: string): Promise<boolean>;
}

export function makeConsoleSessions(secret: string, clock: Clock): ConsoleSessions {
  // Its own key: a cookie's signature must be good for nothing else.
  const key = createHash('sha256').update(`${audience}:${secret}`).digest();
  return {
    issue: () => {
      const now = Math.floor(clock.now() / 1_000);
      return new SignJWT({})
        .setProtectedHeader({ alg: 'HS256' })
        .setAudience(audience)
        .setIssuedAt(now)
        .setExpirationTime(now + limits.consoleSessionMs / 1_000)
        .sign(key);
    },
    verify: async (cookie) => {
      try {
        await jwtVerify(cookie, key, {
          algorithms: ['HS256'],
          audience,
          requiredClaims: ['exp'],
          currentDate: new Date(clock.now()),
        });
        return true;
      } catch {
        return false;
      }
    },
  };
}
