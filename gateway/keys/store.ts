import { z } from 'zod';
import { type Clock, PresageError } from '../../core/index.ts';
import { type Scope, scopeNames } from '../../schemas/index.ts';
import { limits } from '../limits.ts';
import { hashOfKey, idOfHash, type KeyInfo, type KeyKind, looksLikeKey, makeKeyText } from './key.ts';
import type { KeyStorage } from './storage.ts';

export interface NewKey {
  readonly tenant: string;
  readonly kind: KeyKind;
  /** Of a secret key; a public one always has exactly `write`. */
  readonly scopes?: readonly Scope[];
  readonly name?: string;
}

/** A key just made: the only time that its text is seen. */
export interface MadeKey {
  readonly key: string;
  readonly info: KeyInfo;
}

/** Keys of all tenants. Throws PresageError `keys_unavailable` (retriable) when the storage can't be reached. */
export interface KeyStore {
  /** `bad_scopes`, `too_many_keys`. */
  create(options: NewKey): Promise<MadeKey>;
  /** Oldest first; of one tenant, or of all. Revoked ones are listed too. */
  list(tenant?: string): Promise<KeyInfo[]>;
  /**
   * A new key of the same kind and scopes; the old one works for `overlapMs` more (default 24 h). Two keys of a tenant
   * with another id, `key_not_found`; one that no longer works, `key_revoked` or `key_expired`.
   */
  rotate(id: string, options?: { readonly tenant?: string; readonly overlapMs?: number }): Promise<MadeKey>;
  /** Ends a key at once, wherever it is cached within a second. Revoking again changes nothing. */
  revoke(id: string, options?: { readonly tenant?: string }): Promise<KeyInfo>;
  /** What is stored of a key's text, whether it still works or not. */
  find(text: string): Promise<KeyInfo | undefined>;
}

const storedKey = z.object({
  id: z.string(),
  tenant: z.string(),
  kind: z.enum(['public', 'secret']),
  scopes: z.array(z.enum(scopeNames)),
  name: z.string(),
  hint: z.string(),
  createdAt: z.number(),
  expiresAt: z.number().nullable(),
  revokedAt: z.number().nullable(),
  replacedBy: z.string().nullable(),
});

export interface KeyStoreParts {
  readonly storage: KeyStorage;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** Whether a key works at a time; the reason where it does not. */
export function stateOfKey(info: KeyInfo, now: number): 'works' | 'key_revoked' | 'key_expired' {
  if (info.revokedAt !== null) return 'key_revoked';
  return info.expiresAt !== null && info.expiresAt <= now ? 'key_expired' : 'works';
}

export function makeKeyStore({ storage, clock, randomBytes }: KeyStoreParts): KeyStore {
  const read = (value: string): KeyInfo => storedKey.parse(JSON.parse(value));

  async function add(options: NewKey): Promise<MadeKey> {
    await makeRoom();
    const key = makeKeyText(options.kind, randomBytes);
    const hash = hashOfKey(key);
    const info: KeyInfo = {
      id: idOfHash(hash),
      tenant: options.tenant,
      kind: options.kind,
      scopes: scopesOf(options),
      name: options.name ?? '',
      hint: `${key.slice(0, 7)}…`,
      createdAt: clock.now(),
      expiresAt: null,
      revokedAt: null,
      replacedBy: null,
    };
    await storage.add(hash, JSON.stringify(info));
    return { key, info };
  }

  /** Keys are few; their number is bounded, and those that no longer work go first. */
  async function makeRoom(): Promise<void> {
    const all = await storage.all();
    if (all.size < limits.keys) return;
    for (const [hash, value] of all) {
      if (stateOfKey(read(value), clock.now()) !== 'works' && (await storage.swap(hash, value, null))) return;
    }
    throw new PresageError(
      'too_many_keys',
      `There are ${all.size} keys, the most allowed; revoke some first.`,
    );
  }

  /** Reads, changes and writes back until no one else came between. */
  async function change(
    id: string,
    tenant: string | undefined,
    next: (info: KeyInfo) => KeyInfo,
  ): Promise<KeyInfo> {
    for (;;) {
      const found = [...(await storage.all())].find(([hash]) => idOfHash(hash) === id);
      const info = found === undefined ? undefined : read(found[1]);
      if (found === undefined || info === undefined || (tenant !== undefined && info.tenant !== tenant)) {
        throw new PresageError('key_not_found', `There is no key "${id}"; \`presage keys list\` shows them.`);
      }
      const changed = next(info);
      if (changed === info || (await storage.swap(found[0], found[1], JSON.stringify(changed))))
        return changed;
    }
  }

  return {
    create: add,
    list: async (tenant) =>
      [...(await storage.all()).values()]
        .map(read)
        .filter((info) => tenant === undefined || info.tenant === tenant)
        .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)),
    rotate: async (id, options = {}) => {
      const mustWork = (info: KeyInfo): KeyInfo => {
        const state = stateOfKey(info, clock.now());
        if (state !== 'works') {
          throw new PresageError(state, `Key "${id}" no longer works; create a new one.`);
        }
        return info;
      };
      const old = await change(id, options.tenant, mustWork);
      const made = await add({ tenant: old.tenant, kind: old.kind, scopes: old.scopes, name: old.name });
      const until = clock.now() + (options.overlapMs ?? limits.rotationOverlapMs);
      await change(id, options.tenant, (info) => ({
        ...info,
        // A second rotation never lengthens the first one's overlap.
        expiresAt: Math.min(info.expiresAt ?? until, until),
        replacedBy: made.info.id,
      }));
      return made;
    },
    revoke: (id, options = {}) =>
      change(id, options.tenant, (info) =>
        info.revokedAt === null ? { ...info, revokedAt: clock.now() } : info,
      ),
    find: async (text) => {
      if (!looksLikeKey(text)) return undefined;
      const value = await storage.get(hashOfKey(text));
      return value === null ? undefined : read(value);
    },
  };
}

function scopesOf({ kind, scopes }: NewKey): readonly Scope[] {
  if (kind === 'public') {
    if (scopes === undefined || (scopes.length === 1 && scopes[0] === 'write')) return ['write'];
    throw new PresageError(
      'bad_scopes',
      'A public key stands in web pages for all to read, so it can only have the scope write; make a secret key for the others.',
    );
  }
  const unique = [...new Set(scopes ?? [])];
  if (unique.length > 0) return unique;
  throw new PresageError('bad_scopes', `A secret key needs at least one scope of ${scopeNames.join(', ')}.`);
}
