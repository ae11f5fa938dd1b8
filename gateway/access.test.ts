import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminToken, type Lab, startLab } from '../tests/support/gateway.ts';

let lab: Lab;
let acme: { secret: string; open: string };
let globex: { secret: string; open: string };
beforeAll(async () => {
  lab = await startLab();
  acme = await lab.keysOf('acme');
  globex = await lab.keysOf('globex');
  await lab.putFeatures('acme', 'u:42', [{ type: 'viewed', time: Date.now() - 1_000 }]);
});
afterAll(() => lab.stop());

/** Requests that would work for acme, by route; whatever the server has beyond these must be open to all by design. */
const requests: Record<string, { path?: string; body?: unknown }> = {
  'GET /v1/decisions/:id': { path: '/v1/decisions/some' },
  'GET /v1/subjects/:id/features': { path: '/v1/subjects/u:42/features' },
  'POST /v1/decide': { body: { anonymousId: 'a', placement: 'banner' } },
  'POST /v1/decide/batch': { body: { batch: [{ anonymousId: 'a', placement: 'banner' }] } },
  'POST /v1/outcomes': { body: { receipt: 'none', outcome: 'shown' } },
  'POST /v1/sessions': { body: { userId: '42' } },
  'POST /v1/batch': { body: { batch: [{ type: 'track', event: 'x', userId: 'u' }] } },
  'POST /v1/b': { body: { batch: [{ type: 'track', event: 'x', userId: 'u' }] } },
  ...Object.fromEntries(
    ['track', 'identify', 'page', 'screen', 'group', 'alias', 't', 'i', 'p', 's', 'g', 'a'].map((call) => [
      `POST /v1/${call}`,
      { body: { event: 'x', userId: 'u' } },
    ]),
  ),
  'POST /v1/ingest': { body: { tenant: 'acme', source: 'feed:x', events: [] } },
  'GET /api/status': {},
  'GET /api/throughput': {},
  'GET /api/live': {},
  'GET /api/decisions': {},
  'POST /api/explain': { body: { subject: 'a:a', placement: 'banner' } },
  'POST /api/tryout': { body: { expression: 'true' } },
  'GET /api/outcomes': {},
  'GET /api/lift': {},
  'GET /api/decisions/:id': { path: '/api/decisions/some' },
  'GET /api/subjects/:id/features': { path: '/api/subjects/u:42/features' },
  'GET /api/subjects/:id/state': { path: '/api/subjects/u:42/state' },
  'POST /api/actions/stop': { body: {} },
  'POST /api/actions/resume': { body: {} },
  'POST /api/sql': { body: { query: 'select 1' } },
  'GET /v1/reviews': {},
  'GET /v1/reviews/:id': { path: '/v1/reviews/some' },
  'POST /v1/reviews/:id': { path: '/v1/reviews/some', body: { verdict: 'approve' } },
  'GET /api/reviews': {},
  'GET /api/reviews/:id': { path: '/api/reviews/some' },
  'POST /api/reviews/:id': { path: '/api/reviews/some', body: { verdict: 'approve' } },
  'GET /api/keys': {},
  'POST /api/keys': { body: { kind: 'public' } },
  'POST /api/keys/:id/rotate': { path: '/api/keys/key_0/rotate', body: {} },
  'POST /api/keys/:id/revoke': { path: '/api/keys/key_0/revoke', body: {} },
  'POST /api/signout': { body: {} },
  'POST /api/link': { body: {} },
};
/** In these no tenant's data is. */
const openRoutes =
  /^(GET|HEAD) (\/healthz|\/readyz|\/metrics|\/signin|\/docs.*)$|^POST \/v1\/m$|^OPTIONS \*$/;

const all = () => lab.gateway.routes.map(({ method, url }) => `${method} ${url}`);
const ask = (route: string, key?: string, headers?: Record<string, string>) => {
  const [method = '', url = ''] = route.split(' ');
  const { path = url, body } = requests[route] ?? {};
  return method === 'GET' ? lab.get(path, key, headers) : lab.post(path, body ?? {}, key, headers);
};

describe('every route of the running server', () => {
  it('is either listed here with what it takes, or open by design', () => {
    const unknown = all().filter((route) => !(route in requests) && !openRoutes.test(route));
    expect(unknown).toEqual([]);
    expect(Object.keys(requests).filter((route) => !all().includes(route))).toEqual([]);
  });

  it('lets no one in without a credential, or with a wrong one', async () => {
    for (const route of Object.keys(requests)) {
      const none = await ask(route);
      expect([route, none.status]).toEqual([route, 401]);
      expect(['missing_key', 'not_signed_in']).toContain(none.body.code);
      for (const wrong of [`sk_${'A'.repeat(43)}`, 'nonsense', `${adminToken}x`]) {
        const refused = await ask(route, wrong);
        expect([route, refused.status, refused.body.code]).toEqual([route, 401, 'bad_key']);
      }
      const odd = await ask(route, undefined, { authorization: 'Digest x' });
      expect([route, odd.status]).toEqual([route, 401]);
    }
  });

  it("gives another tenant's key nothing of acme, whatever it names", async () => {
    for (const route of Object.keys(requests)) {
      for (const key of [globex.secret, globex.open]) {
        const named = await ask(route, key, { 'x-presage-tenant': 'acme' });
        expect([route, named.status]).toEqual([route, 403]);
        expect(['tenant_mismatch', 'forbidden_scope']).toContain(named.body.code);
        const plain = await ask(route, key);
        expect([route, plain.text.includes('acme')]).toEqual([route, false]);
      }
    }
    expect((await lab.events()).filter(({ tenant }) => tenant === 'acme')).toEqual([]);
    expect(lab.decided.filter(({ tenant }) => tenant === 'acme')).toEqual([]);
  });

  it('does not let a query or a body name another tenant', async () => {
    const query = await lab.get('/v1/subjects/u:42/features?tenant=acme', globex.secret);
    expect([query.status, query.body.code]).toEqual([403, 'tenant_mismatch']);
    expect((await lab.get('/api/decisions?tenant=acme', globex.secret)).body.code).toBe('tenant_mismatch');
    expect((await lab.post('/api/actions/stop', { tenant: 'acme' }, globex.secret)).body.code).toBe(
      'tenant_mismatch',
    );
    expect((await lab.post('/api/keys', { tenant: 'acme', kind: 'public' }, globex.secret)).body.code).toBe(
      'tenant_mismatch',
    );
    const keyOfAcme = (await lab.keys.list('acme'))[0]!.id;
    for (const what of ['rotate', 'revoke']) {
      expect((await lab.post(`/api/keys/${keyOfAcme}/${what}`, {}, globex.secret)).body.code).toBe(
        'key_not_found',
      );
    }
    expect(
      (await lab.keys.list('acme')).every(
        ({ revokedAt, expiresAt }) => revokedAt === null && expiresAt === null,
      ),
    ).toBe(true);
  });

  it('finds only its own subject behind the same id', async () => {
    expect((await lab.get('/v1/subjects/u:42/features', acme.secret)).status).toBe(200);
    expect((await lab.get('/v1/subjects/u:42/features', globex.secret)).body.code).toBe('unknown_subject');
  });

  it('keeps the instance to its operator, and public keys to writing', async () => {
    for (const route of [
      'GET /api/status',
      'GET /api/throughput',
      'GET /api/live',
      'POST /api/sql',
      'POST /v1/ingest',
      'POST /api/link',
    ]) {
      const refused = await ask(route, acme.secret);
      expect([route, refused.status, refused.body.code]).toEqual([route, 403, 'forbidden_scope']);
    }
    for (const route of [
      'POST /v1/sessions',
      'GET /v1/decisions/:id',
      'GET /v1/subjects/:id/features',
      'GET /api/keys',
      'GET /v1/reviews',
      'POST /v1/reviews/:id',
      'POST /api/reviews/:id',
      'GET /api/subjects/:id/state',
      'POST /api/actions/stop',
    ]) {
      const refused = await ask(route, acme.open);
      expect([route, refused.status, refused.body.code]).toEqual([route, 403, 'forbidden_scope']);
    }
  });

  it('asks for exactly the scope it needs', async () => {
    const only = async (scope: 'write' | 'read' | 'session' | 'admin') =>
      (await lab.keys.create({ tenant: 'acme', kind: 'secret', scopes: [scope] })).key;
    const needs = {
      'POST /v1/track': 'write',
      'POST /v1/decide': 'write',
      'POST /v1/decide/batch': 'write',
      'POST /v1/sessions': 'session',
      'GET /v1/subjects/:id/features': 'read',
      'GET /api/keys': 'admin',
      'GET /v1/reviews': 'admin',
    };
    for (const scope of ['write', 'read', 'session', 'admin'] as const) {
      const key = await only(scope);
      for (const [route, needed] of Object.entries(needs)) {
        expect([scope, route, (await ask(route, key)).status]).toEqual([
          scope,
          route,
          scope === needed ? 200 : 403,
        ]);
      }
    }
  });

  it('sees a revocation within a second, also one made elsewhere', async () => {
    const { key, info } = await lab.keys.create({ tenant: 'acme', kind: 'secret', scopes: ['write'] });
    const send = () => lab.post('/v1/track', { event: 'x', userId: 'u' }, key);
    expect((await send()).status).toBe(200);
    await lab.keys.revoke(info.id);
    // The cache's test says by the clock that it is within a second.
    let answer = await send();
    while (answer.status === 200) answer = await send();
    expect([answer.status, answer.body.code]).toEqual([401, 'key_revoked']);
  });

  it('never writes a key or token to the log', async () => {
    await ask('POST /v1/track', acme.secret);
    await lab.post('/v1/track', { event: 'x', userId: 'u', writeKey: acme.open });
    const text = JSON.stringify(lab.logger.lines);
    expect(lab.logger.lines.length).toBeGreaterThan(0);
    for (const secret of [acme.secret, acme.open, globex.secret, adminToken]) {
      expect(text).not.toContain(secret.slice(4, 30));
    }
  });
});
