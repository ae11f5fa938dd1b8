import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminToken, type Lab, startLab } from '../tests/support/gateway.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.stop());

const cookieOf = async (): Promise<string> => {
  const answer = await lab.get(lab.gateway.signInLink().slice(lab.address.length));
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/']);
  return answer.headers.get('set-cookie') ?? '';
};

describe('signing in', () => {
  it('works once by a link, and gives a cookie that scripts and other sites can not use', async () => {
    const path = lab.gateway.signInLink().slice(lab.address.length);
    const first = await lab.get(path);
    const cookie = first.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^presage_console=.+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
    const again = await lab.get(path);
    expect([again.status, again.body.code, again.headers.get('set-cookie')]).toEqual([
      401,
      'link_used',
      null,
    ]);
    const inBrowser = await lab.get(path, undefined, { accept: 'text/html' });
    expect([inBrowser.status, inBrowser.headers.get('content-type')]).toEqual([
      401,
      'text/html; charset=utf-8',
    ]);
    expect(inBrowser.text).toContain('presage link');
    expect((await lab.get('/api/status', undefined, { cookie })).status).toBe(200);
  });

  it('refuses a forged cookie', async () => {
    const cookie = (await cookieOf()).split(';')[0] ?? '';
    const forged = await lab.get('/api/status', undefined, { cookie: `${cookie.slice(0, -8)}AAAAAAAA` });
    expect([forged.status, forged.body.code]).toEqual([401, 'not_signed_in']);
  });

  it('takes changes by cookie from the console itself only', async () => {
    const cookie = (await cookieOf()).split(';')[0] ?? '';
    const { host } = new URL(lab.address);
    const stop = (headers: Record<string, string>) =>
      lab.post('/api/actions/stop', {}, undefined, { cookie, ...headers });
    expect((await stop({ origin: `http://${host}` })).status).toBe(200);
    expect((await stop({ 'sec-fetch-site': 'same-origin' })).status).toBe(200);
    const others = [
      { origin: 'https://evil.example' },
      { origin: 'http://127.0.0.1:1' },
      { origin: 'null' },
      { 'sec-fetch-site': 'same-site', origin: `http://${host}` },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of others) {
      const refused = await stop(headers as Record<string, string>);
      expect([headers, refused.status, refused.body.code]).toEqual([headers, 403, 'cross_origin']);
    }
  });

  it('does not let the cookie act for tenants on the public API', async () => {
    const cookie = (await cookieOf()).split(';')[0] ?? '';
    const { status } = await lab.post('/v1/track', { event: 'x', userId: 'u' }, undefined, {
      cookie,
      'sec-fetch-site': 'same-origin',
    });
    expect(status).toBe(401);
  });

  it('makes another link for who has the admin token', async () => {
    const { body } = await lab.post('/api/link', {}, adminToken);
    expect((await lab.get(body.link.slice(lab.address.length))).status).toBe(303);
  });
});

describe('the stop switch', () => {
  it('stops and resumes all tenants, or one, and says by whom and why', async () => {
    lab.controls.length = 0;
    const all = await lab.post('/api/actions/stop', { reason: 'prices are wrong' }, adminToken);
    expect(all.body.tenants).toEqual([
      { name: 'acme', stopped: true },
      { name: 'globex', stopped: true },
    ]);
    const one = await lab.post('/api/actions/resume', { tenant: 'acme' }, adminToken);
    expect(one.body.tenants).toEqual([{ name: 'acme', stopped: false }]);
    expect(lab.controls).toEqual([
      { what: 'stop', tenants: ['acme', 'globex'], by: 'operator by token', reason: 'prices are wrong' },
      { what: 'resume', tenants: ['acme'], by: 'operator by token', reason: undefined },
    ]);
    const { body } = await lab.get('/api/status', adminToken);
    expect(
      body.tenants.map(({ name, stopped }: { name: string; stopped: boolean }) => [name, stopped]),
    ).toEqual([
      ['acme', false],
      ['globex', true],
    ]);
    expect((await lab.post('/api/actions/stop', { tenant: 'nobody' }, adminToken)).body.code).toBe(
      'unknown_tenant',
    );
  });

  it("a tenant's admin stops its own tenant only", async () => {
    lab.controls.length = 0;
    const { secret } = await lab.keysOf('globex');
    await lab.post('/api/actions/resume', undefined, secret);
    expect(lab.controls).toMatchObject([{ what: 'resume', tenants: ['globex'] }]);
  });
});

describe('keys by HTTP', () => {
  it('are made, listed, rotated and revoked; the text is in the first answer only', async () => {
    const made = await lab.post(
      '/api/keys',
      { tenant: 'acme', kind: 'secret', scopes: ['write'], name: 'shop' },
      adminToken,
    );
    expect(made.body.key).toMatch(/^sk_/);
    const list = await lab.get('/api/keys', adminToken);
    expect(list.body.keys.map(({ id }: { id: string }) => id)).toContain(made.body.info.id);
    expect(list.text).not.toContain(made.body.key.slice(8));
    const next = await lab.post(`/api/keys/${made.body.info.id}/rotate`, { overlapSeconds: 60 }, adminToken);
    expect(next.body.key).not.toBe(made.body.key);
    const revoked = await lab.post(`/api/keys/${made.body.info.id}/revoke`, {}, adminToken);
    expect(revoked.body.info.revokedAt).toEqual(expect.any(Number));
    expect(
      (await lab.post('/api/keys', { tenant: 'acme', kind: 'public', scopes: ['admin'] }, adminToken)).body
        .code,
    ).toBe('bad_scopes');
  });
});
