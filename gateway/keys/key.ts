import { createHash } from 'node:crypto';
import type { Scope } from '../../schemas/index.ts';

/** `public` keys stand in web pages: they write, and open sessions of anonymous ids. `secret` ones have scopes. */
export type KeyKind = 'public' | 'secret';

/** All that is known of a key but its text, which is shown once and kept nowhere. Times are Unix milliseconds. */
export interface KeyInfo {
  /** Names the key in lists and commands. */
  readonly id: string;
  readonly tenant: string;
  readonly kind: KeyKind;
  readonly scopes: readonly Scope[];
  readonly name: string;
  /** Its first characters, for recognising it. */
  readonly hint: string;
  readonly createdAt: number;
  /** Set by rotation: works until then. */
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** The key that took its place. */
  readonly replacedBy: string | null;
}

const bytesOfEntropy = 32;
const shape = /^(pk|sk)_[A-Za-z0-9_-]{43}$/;

/** A new key's text: its kind and 256 random bits. */
export function makeKeyText(kind: KeyKind, randomBytes: (length: number) => Uint8Array): string {
  const random = Buffer.from(randomBytes(bytesOfEntropy)).toString('base64url');
  return `${kind === 'public' ? 'pk' : 'sk'}_${random}`;
}

/** Whether a text could be a key at all: spares a look-up. */
export const looksLikeKey = (text: string): boolean => shape.test(text);

/**
 * What is stored and looked up instead of the key: plain SHA-256. A slow, salted hash protects secrets that can be
 * guessed; 256 random bits can't be, and a fast hash keeps authentication off the hot path's bill. Since the look-up
 * is by the hash of what was sent, its timing says nothing about any stored key.
 */
export const hashOfKey = (text: string): string => createHash('sha256').update(text).digest('hex');

export const idOfHash = (hash: string): string => `key_${hash.slice(0, 12)}`;
