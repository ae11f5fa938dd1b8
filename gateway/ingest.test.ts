import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PresageError } from '../core/index.ts';
import { memoryLog } from '../stream/log/index.ts';
import { adminToken, closedWorkspace, type Lab, realClock, startLab } from '../tests/support/gateway.ts';

let lab: Lab;
let key: string;
let page: string;
beforeAll(async () => {
  lab = await startLab();
  ({ secret: key, open: page } = await lab.keysOf('acme'));
});
afterAll(() => lab.stop());

let made = 0;
const track = (rest: object = {}) => ({
  type: 'track',
  event: 'viewed',
  userId: 'u1',
  messageId: `m${made++}`,
  properties: { sku: 'a' },
  ...rest,
});
const found = async (id: string) => (await lab.events()).find((event) => event.id === id);

describe('the tracking API', () => {
  it('maps every call to an event', async () => {
    const calls = {
      track: { event: 'viewed', properties: { sku: 'x' } },
      page: { name: 'Home', category: 'shop', properties: { path: '/' } },
      screen: { name: 'Main', properties: { depth: 2 } },
      identify: { traits: { plan: 'gold' } },
      group: { groupId: 'g1', traits: { size: 3 } },
      alias: { previousId: 'anon-1' },
    };
    for (const [call, body] of Object.entries(calls)) {
      const id = `call-${call}`;
      const { status, body: answer } = await lab.post(
        `/v1/${call}`,
        { ...body, userId: 'u2', messageId: id },
        key,
      );
      expect([call, status, answer]).toEqual([call, 200, { success: true, accepted: 1, rejected: [] }]);
    }
    const stored = Object.fromEntries(
      (await lab.events()).filter(({ id }) => id.startsWith('call-')).map((event) => [event.id, event]),
    );
    expect(stored['call-track']).toMatchObject({
      v: 1,
      type: 'viewed',
      tenant: 'acme',
      userId: 'u2',
      source: 'http',
      properties: { sku: 'x' },
    });
    expect(stored['call-track']?.schema).toBe(lab.workspace.types.get('viewed')?.schemaHash);
    expect(stored['call-page']).toMatchObject({
      type: 'page',
      properties: { path: '/', name: 'Home', category: 'shop' },
    });
    expect(stored['call-screen']).toMatchObject({ type: 'screen', properties: { depth: 2, name: 'Main' } });
    expect(stored['call-identify']).toMatchObject({ type: 'identify', properties: { plan: 'gold' } });
    expect(stored['call-group']).toMatchObject({ type: 'group', properties: { size: 3, groupId: 'g1' } });
    expect(stored['call-alias']).toMatchObject({ type: 'alias', properties: { previousId: 'anon-1' } });
    expect(stored['call-screen']?.schema).toBeUndefined();
  });

  it('takes the key as basic auth user name, as bearer token, and in the body', async () => {
    const basic = { authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` };
    expect((await lab.post('/v1/track', track(), undefined, basic)).status).toBe(200);
    expect((await lab.post('/v1/track', track(), key)).status).toBe(200);
    expect((await lab.post('/v1/track', { ...track(), writeKey: page })).status).toBe(200);
    expect((await lab.post('/v1/batch', { batch: [track()], writeKey: page })).status).toBe(200);
  });

  it('takes the short routes of a browser, as plain text from a page that closes, and calls their source browser', async () => {
    const calls = [
      ['t', 'viewed'],
      ['p', 'page'],
      ['i', 'identify'],
      ['s', 'screen'],
      ['g', 'group'],
      ['a', 'alias'],
    ] as const;
    for (const [route, type] of calls) {
      const id = `short-${route}`;
      const body = JSON.stringify({
        event: 'viewed',
        properties: { sku: 's' },
        anonymousId: 'a1',
        messageId: id,
        writeKey: page,
      });
      const { status } = await lab.post(`/v1/${route}`, body, undefined, {
        'content-type': 'text/plain;charset=UTF-8',
      });
      expect([route, status]).toEqual([route, 200]);
      expect(await found(id)).toMatchObject({ type, source: 'browser', anonymousId: 'a1' });
    }
    const batch = JSON.stringify({ batch: [track({ messageId: 'short-b' })], writeKey: page });
    expect((await lab.post('/v1/b', batch, undefined, { 'content-type': 'text/plain' })).status).toBe(200);
    expect((await lab.post('/v1/m', { series: [] })).status).toBe(200);
  });

  it('answers preflights of any page for these routes only', async () => {
    const preflight = (path: string) =>
      fetch(`${lab.address}${path}`, {
        method: 'OPTIONS',
        headers: { origin: 'https://shop.example', 'access-control-request-method': 'POST' },
      });
    for (const path of ['/v1/t', '/v1/batch', '/v1/decide']) {
      const response = await preflight(path);
      expect([path, response.status, response.headers.get('access-control-allow-origin')]).toEqual([
        path,
        204,
        '*',
      ]);
    }
    for (const path of ['/v1/sessions', '/v1/ingest', '/api/sql', '/api/keys', '/v1/decisions/x']) {
      const response = await preflight(path);
      expect([path, response.headers.get('access-control-allow-origin')]).toEqual([path, null]);
    }
    const plain = await lab.post('/v1/t', { ...track(), writeKey: page }, undefined, {
      origin: 'https://shop.example',
    });
    expect(plain.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('takes gzipped bodies, and refuses what only claims to be', async () => {
    const body = gzipSync(JSON.stringify({ batch: [track({ messageId: 'zipped' })] }));
    expect((await lab.post('/v1/batch', body, key, { 'content-encoding': 'gzip' })).status).toBe(200);
    expect(await found('zipped')).toBeDefined();
    const broken = await lab.post('/v1/batch', Buffer.from('not gzip at all'), key, {
      'content-encoding': 'gzip',
    });
    expect([broken.status, broken.body.code]).toEqual([400, 'malformed_body']);
    const cut = await lab.post('/v1/batch', body.subarray(0, body.length - 9), key, {
      'content-encoding': 'gzip',
    });
    expect([cut.status, cut.body.code]).toEqual([400, 'malformed_body']);
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20));
    const blown = await lab.post('/v1/batch', bomb, key, { 'content-encoding': 'gzip' });
    expect([blown.status, blown.body.code]).toEqual([413, 'body_too_large']);
    const brotli = await lab.post('/v1/batch', 'x', key, { 'content-encoding': 'br' });
    expect([brotli.status, brotli.body.code]).toEqual([415, 'unsupported_encoding']);
  });

  it('keeps the session that the client names', async () => {
    await lab.post(
      '/v1/batch',
      {
        batch: [
          track({ messageId: 'session-context', context: { sessionId: 'S1' } }),
          track({
            messageId: 'session-plugin',
            integrations: { All: true, 'Actions Amplitude': { session_id: 1630000000000 } },
          }),
          track({ messageId: 'session-none' }),
        ],
        context: { app: 'web' },
      },
      key,
    );
    expect(await found('session-context')).toMatchObject({
      session: 'S1',
      context: { app: 'web', sessionId: 'S1' },
    });
    expect(await found('session-plugin')).toMatchObject({ session: '1630000000000' });
    expect((await found('session-none'))?.session).toBeUndefined();
  });

  it('makes an id where none is sent, a new one each time, and returns it', async () => {
    const same = track({ messageId: undefined });
    const { body } = await lab.post('/v1/batch', { batch: [same, track(), same] }, key);
    expect(body.accepted).toBe(3);
    const ids = body.generated.map((made: { messageId: string }) => made.messageId);
    expect(body.generated.map((made: { index: number }) => made.index)).toEqual([0, 2]);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(await found(id)).toMatchObject({ type: 'viewed' });
  });

  it('puts an event where its subject lives: identify with the anonymous id, all else with the user', async () => {
    const both = { userId: 'user-7', anonymousId: 'visitor-9' };
    const key7 = { ...both, messageId: 'keyed-identify' };
    await lab.post('/v1/identify', key7, key);
    await lab.post('/v1/track', track({ ...both, messageId: 'keyed-track' }), key);
    const keys = new Map<string, string>();
    const subscription = await lab.log.subscribe({
      group: 'keys',
      startAt: async () => 0,
      onAssigned: async (reader) => {
        for (const record of await reader.next(10_000, 0))
          keys.set(JSON.parse(record.value.toString()).id, record.key);
      },
      onRevoked: () => {},
    });
    await lab.events();
    await subscription.stop();
    expect(keys.get('keyed-identify')).toBe('visitor-9');
    expect(keys.get('keyed-track')).toBe('user-7');
  });

  it('tolerates what it does not know: nulls, historicalMigration, numbers as ids', async () => {
    const odd = {
      ...track({ messageId: 'odd', anonymousId: null, userId: 42, traits: null, integrations: {} }),
      historicalMigration: true,
      _metadata: { nodeVersion: '20' },
    };
    const { status } = await lab.post(
      '/v1/batch',
      { batch: [odd], historicalMigration: true, sentAt: new Date() },
      key,
    );
    expect(status).toBe(200);
    expect(await found('odd')).toMatchObject({ userId: '42' });
  });

  it('lets only the admin token say where events come from', async () => {
    const tenant = { 'x-presage-tenant': 'acme' };
    const simulated = await lab.post('/v1/track', track({ messageId: 'simulated' }), adminToken, {
      ...tenant,
      'x-presage-source': 'simulator',
    });
    expect(simulated.status).toBe(200);
    expect(await found('simulated')).toMatchObject({ source: 'simulator', tenant: 'acme' });
    const forged = await lab.post('/v1/track', track(), key, { 'x-presage-source': 'simulator' });
    expect([forged.status, forged.body.code]).toEqual([403, 'forbidden_source']);
    const nameless = await lab.post('/v1/track', track(), adminToken);
    expect([nameless.status, nameless.body.code]).toEqual([400, 'missing_tenant']);
  });
});

describe('bad input', () => {
  const now = Date.now();
  const rows: [what: string, event: unknown, code: string][] = [
    ['no subject', track({ userId: undefined }), 'missing_subject'],
    ['empty ids', track({ userId: '', anonymousId: '' }), 'missing_subject'],
    ['a wrong property type', track({ properties: { sku: 'a', price: 'cheap' } }), 'wrong_type'],
    ['a required property missing', track({ properties: {} }), 'wrong_type'],
    ['properties that are no object', track({ properties: [1] }), 'wrong_type'],
    ['properties that are text', track({ properties: 'str' }), 'wrong_type'],
    ['an event that is no object', 'click', 'wrong_type'],
    ['a null event', null, 'wrong_type'],
    ['a user id that is an object', track({ userId: { id: 1 } }), 'wrong_type'],
    ['a user id too long', track({ userId: 'x'.repeat(257) }), 'too_long'],
    ['no event name', track({ event: undefined }), 'missing_event'],
    ['a name of ours', track({ event: '$exposure' }), 'reserved_type'],
    ['an unknown call', track({ type: 'tracks' }), 'unknown_call'],
    ['a time of 1970', track({ timestamp: '1970-01-01T00:00:00Z' }), 'time_out_of_range'],
    ['seconds taken for milliseconds', track({ timestamp: 1_700_000_000 }), 'time_out_of_range'],
    ['a time of 2100', track({ timestamp: '2100-01-01T00:00:00.000Z' }), 'time_out_of_range'],
    ['a time that is 25 h ahead', track({ timestamp: now + 25 * 3_600_000 }), 'time_out_of_range'],
    ['a time that is none', track({ timestamp: 'yesterday' }), 'bad_timestamp'],
    ['a time too large', track({ timestamp: 1e300 }), 'bad_timestamp'],
    ['a time of another type', track({ timestamp: { at: 1 } }), 'wrong_type'],
    ['33 KB', track({ properties: { sku: 'x'.repeat(33 * 1024) } }), 'event_too_large'],
    [
      'too deep',
      track({ properties: { sku: 'a', deep: JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) } }),
      'too_deep',
    ],
  ];

  it.each(rows)('refuses %s in a batch and keeps the rest', async (_what, event, code) => {
    const good = track();
    const { status, body } = await lab.post('/v1/batch', { batch: [event, good] }, key);
    expect(status).toBe(200);
    expect(body).toMatchObject({ success: true, accepted: 1, rejected: [{ index: 0, code }] });
    expect(body.rejected[0].message.length).toBeGreaterThan(10);
    expect(await found(good.messageId)).toBeDefined();
  });

  it.each(rows.filter(([what]) => what !== '33 KB'))(
    'answers 400 to %s alone',
    async (_what, event, code) => {
      const { status, body } = await lab.post('/v1/batch', { batch: [event] }, key);
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'nothing_kept', details: { rejected: [{ index: 0, code }] } });
      expect(body.requestId).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  it('says what was expected of a property and what it got', async () => {
    const { status, body } = await lab.post(
      '/v1/track',
      track({ properties: { sku: 'a', price: 'cheap' } }),
      key,
    );
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'wrong_type',
      details: { path: 'properties.price', expected: 'number', got: 'string' },
    });
    expect(body.message).toContain('properties.price');
  });

  it('takes times of every usual spelling, and 2018', async () => {
    const spellings: [unknown, number][] = [
      ['2018-11-01T12:30:00.123Z', Date.UTC(2018, 10, 1, 12, 30, 0, 123)],
      ['2018-11-01T12:30:00+02:00', Date.UTC(2018, 10, 1, 10, 30)],
      ['2018-11-01T12:30:00.123456+0000', Date.UTC(2018, 10, 1, 12, 30, 0, 123)],
      ['2018-11-01 12:30:00', Date.UTC(2018, 10, 1, 12, 30)],
      ['2018-11-01', Date.UTC(2018, 10, 1)],
      [Date.UTC(2018, 10, 1) + 0.5, Date.UTC(2018, 10, 1)],
      [now + 23 * 3_600_000, now + 23 * 3_600_000],
    ];
    const batch = spellings.map(([timestamp], i) => track({ messageId: `time-${i}`, timestamp }));
    expect((await lab.post('/v1/batch', { batch }, key)).body.rejected).toEqual([]);
    for (const [i, [, time]] of spellings.entries()) expect((await found(`time-${i}`))?.time).toBe(time);
  });

  it.each([
    ['malformed JSON', '{"batch":[', 400, 'malformed_json'],
    ['an empty body', '', 400, 'wrong_type'],
    ['a list', '[]', 400, 'wrong_type'],
    ['a batch that is none', '{"batch":{}}', 400, 'wrong_type'],
    ['an empty batch', '{"batch":[]}', 400, 'empty_batch'],
    ['prototype poison', '{"batch":[{"__proto__":{"admin":true}}]}', 400, 'malformed_json'],
    ['more than 2,500 events', JSON.stringify({ batch: Array(2_501).fill(0) }), 413, 'batch_too_large'],
    ['501 KB', JSON.stringify({ batch: ['x'.repeat(501 * 1024)] }), 413, 'body_too_large'],
    ['2 MB', JSON.stringify({ batch: ['x'.repeat(2 * 1024 * 1024)] }), 413, 'body_too_large'],
  ])('answers %s with a code and a sentence', async (_what, text, status, code) => {
    const answer = await lab.post('/v1/batch', text, key);
    expect([answer.status, answer.body?.code]).toEqual([status, code]);
    expect(answer.body.message).toMatch(/[.!?]$/);
    expect(answer.body.requestId).toBe(answer.headers.get('x-request-id'));
  });

  it('says of a key that is not taken which it is', async () => {
    for (const text of ['{"batch":[{"__proto__":1}]}', '{"constructor":{"prototype":1}}']) {
      const { body } = await lab.post('/v1/batch', text, key);
      expect(body.message).toContain('"__proto__"');
    }
    expect((await lab.post('/v1/batch', '{"batch":[', key)).body.message).toBe('The body is not valid JSON.');
  });

  it('survives nesting that would exhaust a stack', async () => {
    const deep = `{"batch":[{"type":"track","event":"x","userId":"u","properties":{"d":${'['.repeat(100_000)}${']'.repeat(100_000)}}}]}`;
    const answer = await lab.post('/v1/batch', deep, key);
    expect([answer.status, answer.body.details.rejected[0].code]).toEqual([400, 'too_deep']);
  });

  it('answers 413 to a single call over 32 KB, also without a length', async () => {
    const large = JSON.stringify(track({ properties: { sku: 'x'.repeat(40 * 1024) } }));
    expect((await lab.post('/v1/track', large, key)).body.code).toBe('body_too_large');
    const chunked = await fetch(`${lab.address}/v1/track`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: new ReadableStream({
        pull(controller) {
          controller.enqueue(Buffer.from(large));
          controller.close();
        },
      }),
      duplex: 'half',
    } as RequestInit);
    expect([chunked.status, ((await chunked.json()) as { code: string }).code]).toEqual([
      413,
      'body_too_large',
    ]);
  });

  it('refuses other content types in a sentence', async () => {
    const answer = await lab.post('/v1/track', 'event=viewed', key, {
      'content-type': 'application/x-www-form-urlencoded',
    });
    expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
  });

  it('refuses undeclared types where the workspace is closed', async () => {
    const closed = await startLab({ yaml: closedWorkspace });
    try {
      const { secret } = await closed.keysOf('acme');
      const { body } = await closed.post(
        '/v1/batch',
        { batch: [track({ event: 'danced' }), track()] },
        secret,
      );
      expect(body).toMatchObject({ accepted: 1, rejected: [{ index: 0, code: 'unknown_event_type' }] });
    } finally {
      await closed.stop();
    }
  });
});

describe('an event is acknowledged only when the log has it', () => {
  it.each(['log_full', 'log_unavailable'])(
    'answers 503 and when to come back on %s, and keeps nothing',
    async (code) => {
      const inner = memoryLog({ partitions: 4, clock: realClock });
      const failing = await startLab({
        log: {
          ...inner,
          append: async () => {
            throw new PresageError(code, 'The log takes nothing now.', { retriable: true });
          },
        },
      });
      try {
        const { secret } = await failing.keysOf('acme');
        const answer = await failing.post('/v1/batch', { batch: [track(), null] }, secret);
        expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([
          503,
          code,
          '1',
        ]);
      } finally {
        await failing.stop();
      }
    },
  );
});

describe('POST /v1/ingest', () => {
  const event = (i: number) => ({
    id: `row-${i}`,
    type: 'viewed',
    userId: `user-${i % 7}`,
    time: Date.UTC(2018, 10, 1) + i,
    properties: { sku: `s${i}` },
  });

  it('appends in order for any tenant, and says how far each partition got', async () => {
    const events = Array.from({ length: 2_000 }, (_, i) => event(i));
    const before = await Promise.all([0, 1, 2, 3].map((p) => lab.log.range(p)));
    const { status, body } = await lab.post(
      '/v1/ingest',
      { tenant: 'globex', source: 'feed:run1', events },
      adminToken,
    );
    expect([status, body.accepted, body.rejected]).toEqual([200, 2_000, []]);
    for (const [p, offset] of Object.entries(body.offsets)) {
      expect(offset).toBe((await lab.log.range(Number(p))).end - 1);
      expect(offset).toBeGreaterThanOrEqual(before[Number(p)]!.end);
    }
    const fed = (await lab.events()).filter(({ source }) => source === 'feed:run1');
    expect(fed).toHaveLength(2_000);
    for (let user = 0; user < 7; user++) {
      const times = fed.filter(({ userId }) => userId === `user-${user}`).map(({ time }) => time);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
    expect(fed[0]).toMatchObject({ tenant: 'globex', v: 1 });
  });

  it('rejects event by event', async () => {
    const events = [
      event(1),
      { ...event(2), id: undefined },
      { ...event(3), time: 5 },
      { ...event(4), type: '$control' },
      { ...event(5), properties: {} },
      { ...event(6), userId: undefined },
      7,
    ];
    const { body } = await lab.post(
      '/v1/ingest',
      { tenant: 'acme', source: 'feed:run2', events },
      adminToken,
    );
    expect(body.accepted).toBe(1);
    expect(body.rejected.map(({ index, code }: { index: number; code: string }) => [index, code])).toEqual([
      [1, 'missing_id'],
      [2, 'time_out_of_range'],
      [3, 'reserved_type'],
      [4, 'wrong_type'],
      [5, 'missing_subject'],
      [6, 'wrong_type'],
    ]);
  });

  it('is for the admin token only', async () => {
    const body = { tenant: 'acme', source: 'feed:x', events: [event(1)] };
    expect((await lab.post('/v1/ingest', body, key)).body.code).toBe('forbidden_scope');
    expect((await lab.post('/v1/ingest', body)).status).toBe(401);
    expect((await lab.post('/v1/ingest', { ...body, tenant: 'nobody' }, adminToken)).body.code).toBe(
      'unknown_tenant',
    );
    expect((await lab.post('/v1/ingest', { ...body, source: 'http' }, adminToken)).body.code).toBe(
      'invalid_request',
    );
    expect(
      (await lab.post('/v1/ingest', { ...body, events: Array(2_001).fill(event(1)) }, adminToken)).body.code,
    ).toBe('invalid_request');
  });
});
