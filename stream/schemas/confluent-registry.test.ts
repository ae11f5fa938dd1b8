import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { frame } from './framing.ts';
import { confluentRegistry, recordDecoder } from './index.ts';

/** Real registries are in tests/registry; here is what they seldom do. */
let server: Server | undefined;
afterEach(async () => {
  await new Promise((resolve) => (server === undefined ? resolve(null) : server.close(resolve)));
  server = undefined;
});

async function answering(
  answer: (request: IncomingMessage) => readonly [status: number, body: object],
): Promise<string> {
  server = createServer((request, response) => {
    const [status, body] = answer(request);
    response
      .writeHead(status, { 'content-type': 'application/json', connection: 'close' })
      .end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const schema = { schema: '{"type":"object"}', schemaType: 'JSON' };

describe('the client of a registry', () => {
  it('sends the credentials it is given', async () => {
    const seen: (string | undefined)[] = [];
    const place = await answering((request) => {
      seen.push(request.headers.authorization);
      return [200, schema];
    });
    const registry = confluentRegistry({ url: `http://${place}/`, userInfo: 'ann:secret' });
    expect(await registry.schemaById(1)).toEqual({
      type: 'JSON',
      text: schema.schema,
      references: new Map(),
    });
    expect(seen).toEqual([`Basic ${Buffer.from('ann:secret').toString('base64')}`]);
  });

  it.each([
    [401, { error_code: 401, message: 'no' }, { code: 'registry_refused', retriable: false }],
    [403, { error_code: 403, message: 'no' }, { code: 'registry_refused', retriable: false }],
    [503, { error_code: 50301, message: 'busy' }, { code: 'registry_unavailable', retriable: true }],
    [422, { error_code: 42201, message: 'bad' }, { code: 'registry_failed', retriable: false }],
    [409, { error_code: 409, message: 'differs' }, { code: 'schema_incompatible', retriable: false }],
  ])('tells what %i means, and shows no password', async (status, body, expected) => {
    const place = await answering(() => [status, body]);
    const registry = confluentRegistry({ url: `http://ann:secret@${place}`, retries: 0 });
    const error = await registry.register('a', '{}').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject(expected);
    expect(String(error)).not.toContain('secret');
  });

  it('goes on to the next address when one does not answer', async () => {
    const place = await answering(() => [200, schema]);
    const registry = confluentRegistry({ url: `http://127.0.0.1:1, http://${place}`, retries: 0 });
    expect(await registry.schemaById(1)).toMatchObject({ type: 'JSON' });
  });

  it('is none of a mock, whose ids do not last', () => {
    expect(() => confluentRegistry({ url: 'mock://test' })).toThrow('mock:// is no schema registry');
  });

  it('a slow registry is one that is away', async () => {
    server = createServer(() => {});
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const registry = confluentRegistry({ url, retries: 0, timeoutMs: 50 });
    await expect(registry.schemaById(1)).rejects.toMatchObject({
      code: 'registry_unavailable',
      retriable: true,
    });
    server.closeAllConnections();
  });

  it('an Avro schema is one whose type is left out', async () => {
    const place = await answering(() => [200, { schema: '"string"' }]);
    const registry = confluentRegistry({ url: `http://${place}` });
    const decoder = recordDecoder({ registry, clock: { now: () => 0, monotonic: () => 0 } });
    await decoder.learn([3]);
    expect(decoder.decode(frame(3, Buffer.from([4, 0x68, 0x69])))).toMatchObject({ ok: true, value: 'hi' });
  });
});
