import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Clock, PresageError } from '../../core/index.ts';
import { type FindKey, stateOfKey } from '../keys/index.ts';
import type { Access } from './access.ts';
import { type ConsoleSessions, consoleCookie } from './cookie.ts';
import { checkTenantHeader, type Principal } from './principal.ts';

export interface AuthenticationParts {
  readonly isAdmin: (token: string) => boolean;
  readonly consoleSessions: ConsoleSessions;
  readonly findKey: FindKey;
  readonly clock: Clock;
}

/**
 * Lets requests in, by what each route declares. Keys in headers are checked before the body is read, so that a
 * stranger's body is never parsed; a key in the body can only be checked after.
 */
export function authenticateRequests(app: FastifyInstance, parts: AuthenticationParts): void {
  app.decorateRequest('principal', null);
  app.decorateRequest('tenant', null);
  app.addHook('onRequest', async (request) => {
    const { access } = request.routeOptions.config;
    if (access === undefined || access.kind === 'open') return;
    const credential = credentialOf(request);
    if (credential !== undefined) {
      request.principal = await fromCredential(request, access, credential);
      return;
    }
    const cookie = acceptsCookie(access) ? request.cookies[consoleCookie] : undefined;
    if (cookie !== undefined && (await parts.consoleSessions.verify(cookie))) {
      refuseForgery(request);
      request.principal = { kind: 'instance', by: 'cookie' };
      return;
    }
    if (access.kind === 'instance') throw notSignedIn();
    if (access.keyInBody !== true) throw access.cookieToo === true ? notSignedIn() : missingKey(false);
  });

  app.addHook('preHandler', async (request) => {
    const { access } = request.routeOptions.config;
    if (access?.kind !== 'key' || request.principal !== null) return;
    const { writeKey } = (request.body ?? {}) as { writeKey?: unknown };
    if (typeof writeKey !== 'string' || writeKey === '') throw missingKey(true);
    request.principal = await fromCredential(request, access, writeKey);
  });

  async function fromCredential(
    request: FastifyRequest,
    access: Access,
    credential: string,
  ): Promise<Principal> {
    if (parts.isAdmin(credential)) return { kind: 'instance', by: 'token' };
    const key = await parts.findKey(credential);
    if (key === undefined) throw new PresageError('bad_key', 'There is no such key.');
    const state = stateOfKey(key, parts.clock.now());
    if (state !== 'works') {
      throw new PresageError(state, `Key ${key.id} no longer works; use its successor, or create one.`);
    }
    if (access.kind !== 'key') {
      throw new PresageError(
        'forbidden_scope',
        "This is for the instance's operator: it needs the admin token.",
      );
    }
    if (!key.scopes.includes(access.scope)) {
      throw new PresageError(
        'forbidden_scope',
        `Key ${key.id} has the scope ${key.scopes.join(', ')}; this needs ${access.scope}.`,
      );
    }
    checkTenantHeader(request, key);
    return { kind: 'key', key };
  }
}

const acceptsCookie = (access: Access): boolean =>
  access.kind === 'instance' || (access.kind === 'key' && access.cookieToo === true);

/** A key as basic auth's user name (Segment's way) or as a bearer token. */
function credentialOf(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
  const [scheme = '', value = ''] = header.split(' ', 2);
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return value;
    case 'basic':
      return Buffer.from(value, 'base64').toString('utf8').split(':', 1)[0] ?? '';
    default:
      throw new PresageError(
        'bad_key',
        'Send the key as basic auth (as the user name) or as a bearer token.',
      );
  }
}

/**
 * The browser adds the cookie to whatever a page makes it send. SameSite=Strict stops other sites; this also stops
 * other ports of this machine, which count as the same site.
 */
function refuseForgery(request: FastifyRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const site = request.headers['sec-fetch-site'];
  const { origin, host } = request.headers;
  const sameOrigin =
    site === undefined ? origin !== undefined && hostOf(origin) === host : site === 'same-origin';
  if (!sameOrigin) {
    throw new PresageError('cross_origin', 'Changes by cookie are accepted from the console itself only.');
  }
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

const notSignedIn = (): PresageError =>
  new PresageError(
    'not_signed_in',
    'Sign in with the link that Presage printed at its start, or send the admin token.',
  );

const missingKey = (inBody: boolean): PresageError =>
  new PresageError(
    'missing_key',
    `Send a key: as basic auth (user name = key, no password), as a bearer token${inBody ? ', or as writeKey in the body' : ''}.`,
  );
