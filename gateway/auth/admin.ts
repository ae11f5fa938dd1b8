import { createHash, timingSafeEqual } from 'node:crypto';

/** Compares digests, so that neither length nor common prefix shows in the time it takes. */
export function makeAdminCheck(adminToken: string): (candidate: string) => boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = digest(adminToken);
  return (candidate) => timingSafeEqual(digest(candidate), expected);
}
