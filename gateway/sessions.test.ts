import { randomBytes, randomUUID } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../tests/support/clock.ts';
import {
  cachedKeys,
  type KeyStore,
  makeKeyStore,
  makeSessions,
  memoryKeyStorage,
  type Sessions,
} from './index.ts';

const start = Date.UTC(2026, 0, 1);
const secretOf: Record<string, Uint8Array> = {
  acme: Buffer.from('acme secret, thirty-two bytes ....'),
  globex: Buffer.from('globex secret, thirty-two bytes ..'),
};
let clock = manualClock(start);
let keys: KeyStore;
let sessions: Sessions;
beforeEach(() => {
  clock = manualClock(start);
  keys = makeKeyStore({ storage: memoryKeyStorage(), clock, randomBytes: (n) => randomBytes(n) });
  sessions = makeSessions({
    secrets: (tenant) => secretOf[tenant],
    findKey: cachedKeys(keys, clock),
    clock,
    newId: () => randomUUID(),
  });
});

/** As a shop's backend would make one by itself. */
const signed = (claims: Record<string, unknown>, by = 'acme', alg = 'HS256') =>
  new SignJWT({ tenant: 'acme', sub: 'u:42', aud: 'presage', exp: start / 1_000 + 60, ...claims })
    .setProtectedHeader({ alg })
    .sign(secretOf[by]!);

describe('session tokens', () => {
  it('say whose session they open, until they expire', async () => {
    const { token, expiresAt } = await sessions.mint(
      { tenant: 'acme', subject: 'u:42', session: 's1' },
      60_000,
    );
    expect(expiresAt).toBe(start + 60_000);
    expect(await sessions.authenticateSocket({ token })).toEqual({
      tenant: 'acme',
      subject: 'u:42',
      session: 's1',
      expiresAt,
    });
    clock.set(start + 66_000);
    await expect(sessions.verifySessionToken(token)).rejects.toMatchObject({ code: 'token_expired' });
  });

  it('may be made by the backend with the shared secret', async () => {
    expect(await sessions.verifySessionToken(await signed({}))).toMatchObject({
      tenant: 'acme',
      subject: 'u:42',
      session: null,
    });
  });

  it.each([
    ["another tenant's secret", () => signed({}, 'globex')],
    ['another tenant named', () => signed({ tenant: 'globex' })],
    ['a tenant that is not there', () => signed({ tenant: 'nobody' })],
    ['no tenant', () => signed({ tenant: undefined })],
    ['another audience', () => signed({ aud: 'presage-console' })],
    ['no expiry', () => signed({ exp: undefined })],
    ['an expiry beyond 24 h', () => signed({ exp: start / 1_000 + 90_000 })],
    ['no subject', () => signed({ sub: undefined })],
    ['a subject that is neither user nor anonymous', () => signed({ sub: '42' })],
    ['another algorithm', () => signed({}, 'acme', 'HS384')],
    [
      'no signature',
      async () =>
        new UnsecuredJWT({ tenant: 'acme', sub: 'u:42', aud: 'presage', exp: start / 1_000 + 60 }).encode(),
    ],
    ['a changed signature', async () => `${(await signed({})).slice(0, -6)}AAAAAA`],
    ['nonsense', async () => 'a.b.c'],
  ])('are refused with %s', async (_what, make) => {
    await expect(sessions.authenticateSocket({ token: await make() })).rejects.toMatchObject({
      code: 'token_invalid',
    });
  });
});

describe('a page with the public key', () => {
  it('opens a session for an anonymous id', async () => {
    const { key } = await keys.create({ tenant: 'acme', kind: 'public' });
    expect(await sessions.authenticateSocket({ key, anonymousId: 'a1', session: 's' })).toEqual({
      tenant: 'acme',
      subject: 'a:a1',
      session: 's',
      expiresAt: null,
    });
  });

  it("can't open a known user's", async () => {
    const { key } = await keys.create({ tenant: 'acme', kind: 'public' });
    for (const auth of [
      { key, userId: '42' },
      { key, anonymousId: 'a1', userId: '42' },
    ]) {
      await expect(sessions.authenticateSocket(auth)).rejects.toMatchObject({ code: 'forbidden_subject' });
    }
    // Spelling an anonymous id like a user's subject names an anonymous visitor all the same.
    expect((await sessions.authenticateSocket({ key, anonymousId: 'u:42' })).subject).toBe('a:u:42');
  });

  it('is refused with a secret, unknown or revoked key, or none', async () => {
    const secret = await keys.create({ tenant: 'acme', kind: 'secret', scopes: ['write', 'session'] });
    const open = await keys.create({ tenant: 'acme', kind: 'public' });
    await keys.revoke(open.info.id);
    const refused: [unknown, string][] = [
      [{ key: secret.key, anonymousId: 'a' }, 'forbidden_subject'],
      [{ key: `pk_${'A'.repeat(43)}`, anonymousId: 'a' }, 'bad_key'],
      [{ key: open.key, anonymousId: 'a' }, 'key_revoked'],
      [{ key: open.key }, 'missing_key'],
      [{}, 'missing_key'],
      [undefined, 'missing_key'],
      [{ token: 7 }, 'missing_key'],
    ];
    for (const [auth, code] of refused) {
      await expect(sessions.authenticateSocket(auth)).rejects.toMatchObject({ code });
    }
  });
});
