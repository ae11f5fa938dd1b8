import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gauge, Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Health, PresageError } from '../core/index.ts';
import type { DecisionRecord, LiveMessage } from '../schemas/index.ts';
import { adminToken, type Lab, startLab } from '../tests/support/gateway.ts';
import { waitFor } from '../tests/support/program.ts';

let lab: Lab;
let site: string;
let stream: Health = { state: 'ok' };
const registry = new Registry();
const decisions: DecisionRecord[] = [];
beforeAll(async () => {
  site = mkdtempSync(join(tmpdir(), 'presage-site-'));
  for (const folder of ['console/assets', 'demo', 'client'])
    mkdirSync(join(site, folder), { recursive: true });
  writeFileSync(join(site, 'console/index.html'), '<!doctype html><title>console</title>');
  writeFileSync(join(site, 'console/assets/a-1.js'), 'export {}');
  writeFileSync(join(site, 'demo/index.html'), '<!doctype html><title>demo</title>');
  writeFileSync(join(site, 'client/presage.js'), 'var presage');
  writeFileSync(join(site, 'secret.txt'), 'outside');
  new Gauge({ name: 'presage_test', help: 'x', registers: [registry] }).set(7);
  lab = await startLab({
    registry,
    roles: () => [{ name: 'stream', health: stream }],
    decide: async () => decisions,
    folders: { console: join(site, 'console'), demo: join(site, 'demo'), client: join(site, 'client') },
    demo: { key: async (tenant) => `pk_of_${tenant}`, reset: async () => ({ subjects: 2, rows: 9 }) },
  });
});
afterAll(async () => {
  await lab.stop();
  rmSync(site, { recursive: true });
});

describe('POST /v1/decide', () => {
  const decision = (mode: DecisionRecord['mode'], action: string | null): DecisionRecord =>
    ({
      id: `d-${mode}-${action}`,
      placement: 'banner',
      mode,
      action,
      offer: action === null ? null : { content: { title: 'Help' }, expiresAt: 5 },
      recorded: true,
      features: { secret_feature: 1 },
    }) as unknown as DecisionRecord;

  it('answers what to show and keeps to itself what is only observed, stopped, or why', async () => {
    decisions.splice(
      0,
      9,
      decision('act', 'help'),
      decision('observe', 'help'),
      decision('stopped', 'help'),
      decision('act', null),
    );
    const { secret } = await lab.keysOf('acme');
    const { status, text, body } = await lab.post(
      '/v1/decide',
      { userId: '42', placements: ['banner', 'banner'], requestId: 'r1' },
      secret,
    );
    expect(status).toBe(200);
    expect(body.requestId).toBe('r1');
    expect(body.decisions.map((d: { action: string | null; offer: unknown }) => [d.action, d.offer])).toEqual(
      [
        ['help', { content: { title: 'Help' }, expiresAt: 5 }],
        [null, null],
        [null, null],
        [null, null],
      ],
    );
    expect(text).not.toContain('secret_feature');
  });
});

describe('POST /v1/decide asks', () => {
  it('within the deadline of the request, 50 ms unless it says so, and refuses what is no deadline', async () => {
    const asked = await startLab();
    try {
      const { secret } = await asked.keysOf('acme');
      const ask = (more: object) =>
        asked.post('/v1/decide', { userId: '42', placement: 'banner', ...more }, secret);
      await ask({});
      await ask({ deadlineMs: 120 });
      expect(asked.decided.map(({ deadlineMs }) => deadlineMs)).toEqual([50, 120]);
      for (const deadlineMs of [0, 4, 5_001, 7.5, '50', null])
        expect([deadlineMs, (await ask({ deadlineMs })).body.code]).toEqual([deadlineMs, 'invalid_request']);
    } finally {
      await asked.stop();
    }
  });

  it('under the Idempotency-Key, with and without quotes, and says what it was asked', async () => {
    const asked = await startLab();
    try {
      const { secret } = await asked.keysOf('acme');
      const ask = (key: string, more: object = {}) =>
        asked.post('/v1/decide', { userId: '42', placement: 'banner', ...more }, secret, {
          'idempotency-key': key,
        });
      expect((await ask('"k1"')).body.requestId).toBe('k1');
      await ask('k1');
      await ask('k1', { context: { page: 'cart' } });
      const prints = asked.decided.map(({ fingerprint }) => fingerprint);
      expect(prints[0]).toMatch(/^[0-9a-f]{32}$/);
      expect([prints[1] === prints[0], prints[2] === prints[0]]).toEqual([true, false]);
      expect((await ask('k1', { requestId: 'k1' })).status).toBe(200);
      expect((await ask('k1', { requestId: 'r1' })).body.code).toBe('two_request_ids');
      expect((await ask('x'.repeat(129))).body.code).toBe('invalid_request');
      await asked.post('/v1/decide', { userId: '42', placement: 'banner' }, secret);
      expect(asked.decided.at(-1)).not.toHaveProperty('fingerprint');
    } finally {
      await asked.stop();
    }
  });

  it('for several subjects in a batch, each with its own answer', async () => {
    const asked = await startLab();
    try {
      const { secret, open } = await asked.keysOf('acme');
      const batch = [
        { userId: '42', placement: 'banner', requestId: 'r1' },
        { placement: 'banner' },
        { anonymousId: 'a', placements: ['banner'] },
        { anonymousId: 'a', placement: 'nowhere' },
      ];
      const { status, body } = await asked.post('/v1/decide/batch', { batch, deadlineMs: 80 }, secret);
      expect(status).toBe(200);
      expect(body.answers).toMatchObject([
        { requestId: 'r1', decisions: [] },
        { error: { code: 'missing_subject' } },
        { requestId: expect.any(String), decisions: [] },
        { error: { code: 'unknown_placement' } },
      ]);
      expect(asked.decided.map(({ subject, deadlineMs }) => [subject, deadlineMs])).toEqual([
        ['u:42', 80],
        ['a:a', 80],
      ]);
      const byPage = await asked.post('/v1/decide/batch', { batch: batch.slice(0, 1), writeKey: open });
      expect(byPage.body.answers).toMatchObject([{ error: { code: 'forbidden_subject' } }]);
      const many = Array.from({ length: 101 }, () => batch[0]);
      expect((await asked.post('/v1/decide/batch', { batch: many }, secret)).body.code).toBe(
        'invalid_request',
      );
    } finally {
      await asked.stop();
    }
  });

  it('again later when too many are in hand: 503 with Retry-After', async () => {
    const asked = await startLab({
      decide: async () => {
        throw new PresageError('too_many_requests', 'Too many.', { retriable: true });
      },
    });
    try {
      const { secret } = await asked.keysOf('acme');
      const answer = await asked.post('/v1/decide', { userId: '42', placement: 'banner' }, secret);
      expect([answer.status, answer.headers.get('retry-after'), answer.body.code]).toEqual([
        503,
        '1',
        'too_many_requests',
      ]);
    } finally {
      await asked.stop();
    }
  });

  it('for whom and what the key allows', async () => {
    const asked = await startLab();
    try {
      const { secret, open } = await asked.keysOf('acme');
      const ok = await asked.post('/v1/decide', {
        anonymousId: 'sim-1',
        placement: 'banner',
        context: { page: 'cart' },
        writeKey: open,
      });
      expect(ok.status).toBe(200);
      await asked.post(
        '/v1/decide',
        { userId: '42', session: 's', placements: ['banner', 'banner'], requestId: 'r1' },
        secret,
      );
      expect(asked.decided).toMatchObject([
        {
          tenant: 'acme',
          subject: 'a:sim-1',
          session: null,
          placements: ['banner'],
          context: { page: 'cart' },
          simulated: true,
        },
        {
          tenant: 'acme',
          subject: 'u:42',
          session: 's',
          placements: ['banner'],
          requestId: 'r1',
          simulated: false,
        },
      ]);
      expect(asked.decided[0]?.requestId).toBe(ok.body.requestId);
      const rows: [object, string, string][] = [
        [{ userId: '42', placement: 'banner' }, open, 'forbidden_subject'],
        [{ userId: '42', anonymousId: 'a', placement: 'banner' }, open, 'forbidden_subject'],
        [{ placement: 'banner' }, secret, 'missing_subject'],
        [{ userId: '42' }, secret, 'missing_placement'],
        [{ userId: '42', placement: 'bannner' }, secret, 'unknown_placement'],
        [{ userId: 7, placement: 'banner' }, secret, 'invalid_request'],
      ];
      for (const [body, key, code] of rows)
        expect((await asked.post('/v1/decide', body, key)).body.code).toBe(code);
      expect(asked.decided).toHaveLength(2);
    } finally {
      await asked.stop();
    }
  });
});

describe('POST /v1/sessions', () => {
  it("mints a token that opens the subject's session", async () => {
    const { secret } = await lab.keysOf('acme');
    const { status, body } = await lab.post('/v1/sessions', { userId: '42', session: 's1', ttl: 60 }, secret);
    expect(status).toBe(200);
    expect(await lab.gateway.sessions.authenticateSocket({ token: body.token })).toMatchObject({
      tenant: 'acme',
      subject: 'u:42',
      session: 's1',
      expiresAt: body.expiresAt,
    });
    expect((await lab.post('/v1/sessions', { userId: '42', ttl: 86_401 }, secret)).body.code).toBe(
      'invalid_request',
    );
    expect((await lab.post('/v1/sessions', {}, secret)).body.code).toBe('missing_subject');
  });
});

describe('GET /v1/subjects/:id/features', () => {
  it('reads committed features now, at a time, or at the newest event', async () => {
    const time = Date.UTC(2018, 10, 1);
    await lab.putFeatures('acme', 'a:odd/id 1', [
      { type: 'viewed', time },
      { type: 'viewed', time: time + 60_000 },
    ]);
    const { secret } = await lab.keysOf('acme');
    const path = `/v1/subjects/${encodeURIComponent('a:odd/id 1')}/features`;
    expect((await lab.get(path, secret)).body).toMatchObject({
      subject: 'a:odd/id 1',
      position: 1,
      features: { views: 0 },
    });
    const newest = await lab.get(`${path}?at=newest`, secret);
    expect(newest.body).toEqual({
      subject: 'a:odd/id 1',
      at: time + 60_000,
      position: 1,
      features: { views: 2 },
    });
    expect((await lab.get(`${path}?at=2018-11-01T00:30:00Z`, secret)).body).toMatchObject({
      at: time + 1_800_000,
      features: { views: 2 },
    });
    expect((await lab.get(`${path}?at=sometime`, secret)).body.code).toBe('bad_timestamp');
    expect((await lab.get('/v1/subjects/nobody/features', secret)).body).toMatchObject({
      code: 'unknown_subject',
    });
  });

  it('reads those of the user that an anonymous id has become, and says so', async () => {
    const time = Date.UTC(2018, 10, 1);
    await lab.putFeatures('acme', 'u:signed-in', [{ type: 'viewed', time }]);
    await lab.identify('acme', 'was-anonymous', 'signed-in');
    const { secret } = await lab.keysOf('acme');
    expect((await lab.get('/v1/subjects/a:was-anonymous/features?at=newest', secret)).body).toMatchObject({
      subject: 'u:signed-in',
      askedFor: 'a:was-anonymous',
      features: { views: 1 },
    });
  });
});

describe('GET /api/subjects/:id/state', () => {
  it('shows all that is kept of a subject, decoded, to its operators only', async () => {
    const time = Date.UTC(2018, 10, 1);
    await lab.putFeatures('acme', 'u:looked-into', [
      { type: 'viewed', time },
      { type: 'viewed', time: time + 60_000 },
    ]);
    const { secret } = await lab.keysOf('acme');
    const { body } = await lab.get('/api/subjects/looked-into/state', secret);
    expect(body).toMatchObject({
      tenant: 'acme',
      subject: 'u:looked-into',
      position: 1,
      newest: time + 60_000,
      sessions: [{ name: null, first: time, last: time + 60_000 }],
      remembered: { ids: 2, oldest: time },
      moved: null,
      links: [],
      timers: { due: null, pending: [], held: [] },
      features: [
        {
          name: 'views',
          kind: 'count',
          value: 2,
          words: '2 of 60 buckets of 60 s, from 2018-11-01T00:00:00.000Z to 2018-11-01T00:02:00.000Z',
        },
      ],
      caps: [],
    });
    expect(body.session).toMatch(/^s-/);
    expect(body.blob.bytes).toBeGreaterThan(20);
    const other = (await lab.keysOf('globex')).secret;
    expect((await lab.get('/api/subjects/looked-into/state', other)).body.code).toBe('unknown_subject');
  });
});

describe('operations', () => {
  it('are alive, ready, and say who is not', async () => {
    expect((await lab.get('/healthz')).status).toBe(200);
    expect((await lab.get('/readyz')).body).toEqual({ status: 'ready', roles: ['gateway', 'stream'] });
    stream = { state: 'degraded', why: 'Redis is away' };
    const answer = await lab.get('/readyz');
    stream = { state: 'ok' };
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({
      code: 'not_ready',
      message: 'Not ready: stream (Redis is away).',
      details: { roles: [{ name: 'stream' }] },
    });
  });

  it('are measured, without naming tenants', async () => {
    const { text, headers } = await lab.get('/metrics');
    expect(headers.get('content-type')).toContain('text/plain');
    expect(text).toContain('presage_test 7');
    expect(text).toMatch(/presage_gateway_requests_total\{method="GET",route="\/healthz",status="200"\} \d/);
    expect(text).not.toContain('acme');
  });
});

describe('the API documentation', () => {
  it('is an OpenAPI document of every public route, with a page that needs nothing from elsewhere', async () => {
    const { body } = await lab.get('/docs/json');
    expect(body.openapi).toBe('3.1.0');
    for (const path of [
      '/v1/batch',
      '/v1/track',
      '/v1/decide',
      '/v1/sessions',
      '/v1/decisions/{id}',
      '/v1/subjects/{id}/features',
      '/readyz',
      '/api/sql',
    ]) {
      expect(Object.keys(body.paths)).toContain(path);
    }
    const track = body.paths['/v1/track'].post.requestBody.content['application/json'].schema;
    expect(Object.keys(track.properties)).toEqual(
      expect.arrayContaining(['event', 'userId', 'properties', 'timestamp']),
    );
    expect(
      body.paths['/v1/track'].post.responses['200'].content['application/json'].schema.properties,
    ).toHaveProperty('rejected');
    const page = await lab.get('/docs', undefined, { accept: 'text/html' });
    const html = page.status === 200 ? page : await lab.get(page.headers.get('location') ?? '/docs/');
    expect(html.status).toBe(200);
    expect(html.text).not.toMatch(/(src|href)="https?:/);
    expect(html.headers.get('content-security-policy')).toContain("default-src 'self'");
    for (const [, asset = ''] of html.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect([asset, (await fetch(new URL(asset, `${lab.address}/docs/`))).status]).toEqual([asset, 200]);
    }
  });
});

describe('static files', () => {
  it('are the console at / and below, the demo, and the client for any page', async () => {
    const html = { accept: 'text/html' };
    expect((await lab.get('/', undefined, html)).text).toContain('console');
    const deep = await lab.get('/decisions/abc', undefined, html);
    expect([deep.status, deep.text]).toEqual([200, '<!doctype html><title>console</title>']);
    expect((await lab.get('/assets/a-1.js')).headers.get('cache-control')).toContain('immutable');
    expect((await lab.get('/demo/', undefined, html)).text).toContain('demo');
    expect((await lab.get('/demo', undefined, html)).headers.get('location')).toBe('/demo/');
    const client = await lab.get('/client/presage.js');
    expect([
      client.headers.get('cross-origin-resource-policy'),
      client.headers.get('access-control-allow-origin'),
    ]).toEqual(['cross-origin', '*']);
    expect((await lab.get('/demo/config.json')).body).toEqual({ tenant: 'acme', key: 'pk_of_acme' });
  });

  it('are not there for programs, nor beyond their folders', async () => {
    for (const path of ['/api/nothing', '/v1/nothing', '/docs/nothing.js', '/client/nothing.js']) {
      const answer = await lab.get(path, undefined, { accept: 'text/html' });
      expect([path, answer.status, answer.body?.code]).toEqual([path, 404, 'not_found']);
    }
    for (const path of ['/client/..%2fsecret.txt', '/demo/%2e%2e/secret.txt', '/..%2fsecret.txt']) {
      const { status, text } = await lab.get(path);
      expect([path, text.includes('outside')]).toEqual([path, false]);
      expect([path, status]).toEqual([path, 404]);
    }
  });

  it('carry security headers, like every answer', async () => {
    for (const path of ['/', '/demo/', '/healthz', '/api/status', '/nothing.txt', '/v1/decisions/x']) {
      const { headers } = await lab.get(path);
      expect([path, headers.get('x-content-type-options'), headers.get('x-frame-options')]).toEqual([
        path,
        'nosniff',
        'DENY',
      ]);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('content-security-policy')).toContain("script-src 'self'");
    }
  });
});

describe('the live view', () => {
  async function watch(): Promise<{ messages: LiveMessage[]; end(): void }> {
    const messages: LiveMessage[] = [];
    const stop = new AbortController();
    const response = await fetch(`${lab.address}/api/live`, {
      headers: { authorization: `Bearer ${adminToken}` },
      signal: stop.signal,
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    void (async () => {
      let text = '';
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk as Uint8Array).toString();
        const parts = text.split('\n\n');
        text = parts.pop() ?? '';
        for (const part of parts)
          if (part.startsWith('data: ')) messages.push(JSON.parse(part.slice(6)) as LiveMessage);
      }
    })().catch(() => {});
    return { messages, end: () => stop.abort() };
  }

  it('shows events, what came of offers, decisions and pushes, to every watcher', async () => {
    const watchers = [await watch(), await watch()];
    const { secret } = await lab.keysOf('acme');
    // The tail begins at the end of the log, so what was sent before it stood there is not shown.
    await waitFor('the first event in both', async () => {
      await lab.post('/v1/track', { event: 'seen', userId: '42', properties: { n: 1 } }, secret);
      return watchers.every(({ messages }) => messages.some(({ kind }) => kind === 'event'));
    });
    lab.gateway.publish({
      kind: 'pushed',
      at: 1,
      tenant: 'acme',
      subject: 'a:1',
      decision: 'd',
      action: 'help',
      simulated: false,
    });
    await waitFor('the push', () =>
      watchers.every(({ messages }) => messages.some(({ kind }) => kind === 'pushed')),
    );
    const event = watchers[0]!.messages.find(({ kind }) => kind === 'event');
    expect(event).toMatchObject({
      tenant: 'acme',
      subject: 'u:42',
      type: 'seen',
      properties: { n: 1 },
      simulated: false,
      declared: false,
    });
    for (const watcher of watchers) watcher.end();
  });

  it('outlives a watcher that is gone before its cookie has been looked at', async () => {
    const other = await startLab();
    const link = other.gateway.signInLink().slice(other.address.length);
    const cookie = ((await other.get(link)).headers.get('set-cookie') ?? '').split(';')[0];
    const verify = crypto.subtle.verify.bind(crypto.subtle);
    const looking = vi.spyOn(crypto.subtle, 'verify').mockImplementationOnce(async (...given) => {
      browser.destroy();
      await gone;
      return verify(...given);
    });
    const gone = new Promise<void>((resolve) => {
      other.gateway.server.once('connection', (socket) => socket.once('close', () => resolve()));
    });
    const { hostname, port } = new URL(other.address);
    const browser = connect(Number(port), hostname, () => {
      browser.write(`GET /api/live HTTP/1.1\r\nhost: ${hostname}\r\ncookie: ${cookie}\r\n\r\n`);
    });
    await waitFor('the cookie to be looked at', () => looking.mock.settledResults[0]?.type === 'fulfilled');
    looking.mockRestore();
    const watched = async (): Promise<number> => {
      other.gateway.publish({ kind: 'skipped', count: 1 });
      const { text } = await other.get('/metrics', adminToken);
      return Number(/^presage_gateway_live_listeners (\d+)$/m.exec(text)?.[1]);
    };
    expect([await watched(), await watched()]).toEqual([0, 0]);
    await other.stop();
  });
});

describe('the live view under a flood', () => {
  it('jumps to the end and counts what it left out, event by event', async () => {
    const flooded = await startLab();
    const stop = new AbortController();
    const response = await fetch(`${flooded.address}/api/live`, {
      headers: { authorization: `Bearer ${adminToken}` },
      signal: stop.signal,
    });
    let text = '';
    void (async () => {
      for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString();
    })().catch(() => {});
    const messages = () =>
      text
        .split('\n')
        .filter((line) => line.startsWith('data: ') && line.endsWith('}'))
        .map((line) => JSON.parse(line.slice(6)) as LiveMessage);
    let sent = 0;
    const send = async (n: number): Promise<void> => {
      // One user, so one partition.
      const events = Array.from({ length: n }, () => {
        const number = sent++;
        return { id: `e${number}`, type: 'seen', userId: 'flood', time: Date.now(), properties: { number } };
      });
      await flooded.post('/v1/ingest', { tenant: 'acme', source: 'feed:flood', events }, adminToken);
    };
    await waitFor('the first event', async () => {
      await send(1);
      return messages().length > 0;
    });
    for (let i = 0; i < 5; i++) await send(2_000);
    const shown = () =>
      messages().flatMap((message) =>
        message.kind === 'event' ? [message.properties.number as number] : [],
      );
    const skipped = () =>
      messages().reduce((sum, message) => sum + (message.kind === 'skipped' ? message.count : 0), 0);
    await waitFor(
      'every event to be shown or counted',
      () => shown().length + skipped() === sent - (shown()[0] ?? 0),
    );
    expect(skipped()).toBeGreaterThan(9_000);
    expect(shown()).toEqual([...new Set(shown())].sort((a, b) => a - b));
    stop.abort();
    await flooded.stop();
  });
});

describe('a gateway that can not listen, or has to stop', () => {
  it('says in one sentence that its port is taken', async () => {
    const { port } = new URL(lab.address);
    await expect(startLab({ port: Number(port) })).rejects.toMatchObject({
      code: 'port_taken',
      message: expect.stringContaining(`Port ${port}`),
    });
  });

  it('answers what is in hand before it stops, and takes nothing new', async () => {
    let answer: (decisions: DecisionRecord[]) => void = () => {};
    let isAsked = false;
    const other = await startLab({
      decide: () => {
        isAsked = true;
        return new Promise((resolve) => {
          answer = resolve;
        });
      },
    });
    const { secret } = await other.keysOf('acme');
    const inHand = other.post('/v1/decide', { userId: '42', placement: 'banner' }, secret);
    await waitFor('the request to be in hand', () => isAsked);
    const stopped = other.stop();
    await expect(fetch(`${other.address}/healthz`)).rejects.toThrow();
    answer([]);
    expect((await inHand).status).toBe(200);
    await stopped;
  });

  it('stops while someone watches the live view', async () => {
    const other = await startLab();
    const response = await fetch(`${other.address}/api/live`, {
      headers: { authorization: `Bearer ${adminToken}` },
    });
    const ended = response.text();
    await other.stop();
    expect(await ended).toContain('retry:');
    expect(other.gateway.health().state).toBe('down');
    await expect(fetch(other.address)).rejects.toThrow();
  });
});

describe('a socket that has left HTTP', () => {
  it('does not keep the gateway from stopping: its owner closes it', async () => {
    const other = await startLab();
    other.gateway.server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n');
    });
    const { hostname, port } = new URL(other.address);
    const socket = connect(Number(port), hostname);
    const answered = new Promise((resolve) => socket.once('data', resolve));
    socket.write('GET /push HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n');
    await answered;
    await other.stop();
    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });
});

describe('what is not even HTTP', () => {
  const raw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(lab.address);
      let answer = '';
      const socket = connect(Number(port), hostname, () => socket.write(text));
      socket.on('data', (chunk) => {
        answer += chunk.toString();
      });
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });

  it.each([
    ['garbage', 'hello\r\n\r\n', '400', 'malformed_request'],
    [
      'headers too large',
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      '431',
      'headers_too_large',
    ],
    [
      'a path that is none',
      'GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
      '400',
      'malformed_request',
    ],
  ])('%s gets a code and a sentence', async (_what, text, status, code) => {
    const answer = await raw(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as {
      code: string;
      message: string;
    };
    expect(body.code).toBe(code);
    expect(body.message).toMatch(/\.$/);
  });
});

describe('an error that no one foresaw', () => {
  it('is told without its insides, and logged with them', async () => {
    const broken = await startLab({
      decide: async () => {
        throw new TypeError('secret insides');
      },
    });
    try {
      const { secret } = await broken.keysOf('acme');
      const answer = await broken.post('/v1/decide', { userId: '42', placement: 'banner' }, secret);
      expect([answer.status, answer.body.code]).toEqual([500, 'internal']);
      expect(answer.text).not.toContain('insides');
      const line = broken.logger.lines.find(({ level }) => level === 'error');
      expect(line?.fields).toMatchObject({
        requestId: answer.body.requestId,
        tenant: 'acme',
        err: 'secret insides',
      });
    } finally {
      await broken.stop();
    }
  });
});
