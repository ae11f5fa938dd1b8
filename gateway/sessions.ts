import { decodeJwt, errors as joseErrors, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import {
  asSubjectId,
  asTenantId,
  type Clock,
  PresageError,
  type SubjectId,
  type TenantId,
} from '../core/index.ts';
import { type FindKey, stateOfKey } from './keys/index.ts';
import { limits } from './limits.ts';

/** A tenant's secret for session tokens, shared with the shop's backend; undefined = no such tenant. */
export type SessionSecrets = (tenant: string) => Uint8Array | undefined;

/** Whose live session it is. */
export interface SessionIdentity {
  readonly tenant: TenantId;
  readonly subject: SubjectId;
  /** The client's session id, where it gave one. */
  readonly session: string | null;
  /** When the credentials end, Unix ms; null = a key, which has no end of its own. */
  readonly expiresAt: number | null;
}

/** What a socket shows: a page's public key and its anonymous id, or a token of the shop's backend. */
export type SocketCredentials =
  | { readonly token: string }
  | { readonly key: string; readonly anonymousId: string; readonly session?: string | undefined };

export interface Sessions {
  /** A token for one subject's live session. `ttlMs` is at most 24 h. `expiresAt` in Unix ms. */
  mint(
    identity: { readonly tenant: string; readonly subject: string; readonly session: string | null },
    ttlMs: number,
  ): Promise<{ token: string; expiresAt: number }>;
  /** Throws `token_expired` or `token_invalid`. */
  verifySessionToken(token: string): Promise<SessionIdentity>;
  /** Also `missing_key`, `bad_key`, `key_revoked`, `key_expired`, `forbidden_subject`, `keys_unavailable`. */
  authenticateSocket(credentials: unknown): Promise<SessionIdentity>;
}

const audience = 'presage';
/** Pinned: a token must not choose how it is checked. */
const algorithm = 'HS256';
const clockToleranceSeconds = 5;

const credentials = z.union([
  z.object({ token: z.string().min(1).max(4_096) }),
  z.object({
    key: z.string().min(1).max(128),
    anonymousId: z.string().min(1).max(256),
    session: z.string().min(1).max(256).nullish(),
  }),
]);

const claims = z.object({
  tenant: z.string(),
  sub: z.string().regex(/^[ua]:.{1,256}$/s),
  sid: z.string().min(1).max(256).optional(),
  exp: z.number(),
});

export interface SessionParts {
  readonly secrets: SessionSecrets;
  readonly findKey: FindKey;
  readonly clock: Clock;
  readonly newId: () => string;
}

export function makeSessions({ secrets, findKey, clock, newId }: SessionParts): Sessions {
  const invalid = (why: string, cause?: unknown): PresageError =>
    new PresageError('token_invalid', `The session token can't be accepted: ${why}.`, { cause });

  async function verifySessionToken(token: string): Promise<SessionIdentity> {
    let tenant: unknown;
    try {
      // Unverified: it only says which tenant's secret the signature has to match.
      tenant = decodeJwt(token).tenant;
    } catch (error) {
      throw invalid('it is not a JSON web token', error);
    }
    const secret = typeof tenant === 'string' ? secrets(tenant) : undefined;
    if (secret === undefined) throw invalid('its "tenant" is not one of ours');
    try {
      const { payload } = await jwtVerify(token, secret, {
        algorithms: [algorithm],
        audience,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(clock.now()),
        clockTolerance: clockToleranceSeconds,
      });
      const parsed = claims.safeParse(payload);
      if (!parsed.success) throw invalid('"sub" must be u:<userId> or a:<anonymousId>, "sid" a string');
      if (parsed.data.exp * 1_000 > clock.now() + limits.sessionTokenMs + clockToleranceSeconds * 1_000) {
        throw invalid('it is good for more than 24 hours');
      }
      return {
        tenant: asTenantId(parsed.data.tenant),
        subject: asSubjectId(parsed.data.sub),
        session: parsed.data.sid ?? null,
        expiresAt: parsed.data.exp * 1_000,
      };
    } catch (error) {
      if (error instanceof PresageError) throw error;
      if (error instanceof joseErrors.JWTExpired) {
        throw new PresageError(
          'token_expired',
          'The session token has expired; ask the backend for a new one.',
        );
      }
      throw invalid('its signature or claims do not hold', error);
    }
  }

  async function anonymousSession(
    key: string,
    anonymousId: string,
    session: string | null,
  ): Promise<SessionIdentity> {
    const info = await findKey(key);
    if (info === undefined) throw new PresageError('bad_key', 'There is no such key.');
    const state = stateOfKey(info, clock.now());
    if (state !== 'works') throw new PresageError(state, 'This key no longer works; use its successor.');
    if (info.kind !== 'public') {
      throw new PresageError(
        'forbidden_subject',
        'A secret key does not belong into a page: mint a token with POST /v1/sessions, or use the public key.',
      );
    }
    return {
      tenant: asTenantId(info.tenant),
      subject: asSubjectId(`a:${anonymousId}`),
      session,
      expiresAt: null,
    };
  }

  return {
    verifySessionToken,
    mint: async ({ tenant, subject, session }, ttlMs) => {
      const secret = secrets(tenant);
      if (secret === undefined)
        throw new PresageError('unknown_tenant', `Tenant "${tenant}" has no session secret.`);
      const issued = Math.floor(clock.now() / 1_000);
      const expires = issued + Math.ceil(Math.min(ttlMs, limits.sessionTokenMs) / 1_000);
      const token = await new SignJWT({ tenant, ...(session === null ? {} : { sid: session }) })
        .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
        .setSubject(subject)
        .setAudience(audience)
        .setIssuedAt(issued)
        .setExpirationTime(expires)
        .setJti(newId())
        .sign(secret);
      return { token, expiresAt: expires * 1_000 };
    },
    authenticateSocket: async (given) => {
      const parsed = credentials.safeParse(given);
      if (!parsed.success) {
        throw forbiddenOr(
          given,
          new PresageError('missing_key', 'Send {token}, or {key, anonymousId}, to open a session.'),
        );
      }
      if ('token' in parsed.data) return verifySessionToken(parsed.data.token);
      if (namesUser(given)) throw userNeedsToken();
      const { key, anonymousId, session } = parsed.data;
      return anonymousSession(key, anonymousId, session ?? null);
    },
  };
}

const namesUser = (given: unknown): boolean =>
  typeof given === 'object' && given !== null && 'userId' in given && given.userId != null;

const forbiddenOr = (given: unknown, other: PresageError): PresageError =>
  namesUser(given) ? userNeedsToken() : other;

const userNeedsToken = (): PresageError =>
  new PresageError(
    'forbidden_subject',
    "A public key opens sessions of anonymous ids only; a known user's needs a token from POST /v1/sessions.",
  );
