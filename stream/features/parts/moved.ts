import type { Remembered } from './remembered.ts';

/** What is left of an anonymous subject whose state has gone to a known user: where to, and what linked it. */
export interface Moved {
  /** The user's id, as producers spell it. */
  readonly to: string;
  /**
   * The link came from someone who may speak for known users (a backend with a secret key, a feed), not from a browser
   * with a public key. Only then does who holds the anonymous id see what is decided for the user.
   */
  readonly isVouched: boolean;
  /** Ids of the `identify` events that linked it, so that a repeat of an older one does not link it back. */
  readonly identifiedBy: Remembered;
}

/** `identify` events that a moved subject remembers. */
export const mostIdentifies = 32;
