import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openServerWarehouse } from './server.ts';

interface Asked {
  readonly url: URL;
  readonly body: string;
}

/** Speaks as much HTTP as a ClickHouse server: what is tested is what we ask it, not how it answers. */
let server: Server | null = null;
async function fakeServer(answer: (asked: Asked) => { status?: number; code?: string; body?: string }) {
  const asked: Asked[] = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { url: new URL(request.url ?? '', 'http://x'), body: Buffer.concat(chunks).toString() };
      asked.push(one);
      const { status = 200, code, body = '' } = answer(one);
      response.writeHead(status, code === undefined ? {} : { 'X-ClickHouse-Exception-Code': code }).end(body);
    });
  });
  await new Promise<void>((ready) => server?.listen(0, '127.0.0.1', ready));
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
afterEach(() => {
  server?.close();
  server = null;
});

const sqlOf = ({ url, body }: Asked): string => `${url.searchParams.get('query') ?? ''}${body}`;

describe('a ClickHouse server', () => {
  it('gets its tables, then rows under their token', async () => {
    const { asked, url } = await fakeServer(() => ({}));
    const warehouse = await openServerWarehouse({ url });
    expect(asked.some((one) => sqlOf(one).includes('CREATE TABLE IF NOT EXISTS events'))).toBe(true);
    await warehouse.insert('events', '{"id":"1"}\n', 'token 1');
    const last = asked.at(-1);
    expect(last?.url.searchParams.get('insert_deduplication_token')).toBe('token 1');
    expect(last?.url.searchParams.get('async_insert')).toBe('0');
    expect(sqlOf(last!)).toBe('INSERT INTO events FORMAT JSONEachRow{"id":"1"}\n');
    await warehouse.close();
  });

  it('is asked read-only and within limits, for what it has parsed itself', async () => {
    const { asked, url } = await fakeServer((one) => ({
      body: sqlOf(one).includes('formatQuerySingleLine') ? 'SELECT 1' : '',
    }));
    const warehouse = await openServerWarehouse({ url });
    await warehouse.query('select 1 -- x', { format: 'CSV' });
    const [parse, run] = asked.slice(-2);
    expect(sqlOf(parse!)).toContain('formatQuerySingleLine');
    expect(sqlOf(run!)).toBe('SELECT 1');
    for (const one of [parse, run]) {
      expect(one?.url.searchParams.get('readonly')).toBe('1');
      expect(one?.url.searchParams.get('max_execution_time')).toBe('30');
    }
    expect(run?.url.searchParams.get('default_format')).toBe('CSV');
    await warehouse.close();
  });

  it('that is away is told from one that refuses', async () => {
    let isUp = true;
    const { url } = await fakeServer(() =>
      isUp
        ? {}
        : {
            status: 500,
            code: '252',
            body: 'Code: 252. DB::Exception: Too many parts (300). (TOO_MANY_PARTS)',
          },
    );
    const warehouse = await openServerWarehouse({ url });
    isUp = false;
    await expect(warehouse.insert('events', '{}\n', 't')).rejects.toMatchObject({
      code: 'warehouse_unavailable',
      retriable: true,
      message: expect.stringContaining('Too many parts'),
    });
    server?.close();
    server?.closeAllConnections();
    await expect(warehouse.insert('events', '{}\n', 't')).rejects.toMatchObject({
      code: 'warehouse_unavailable',
      retriable: true,
    });
    await warehouse.close();
  });

  it('must be there when we begin', async () => {
    await expect(openServerWarehouse({ url: 'http://127.0.0.1:1' })).rejects.toMatchObject({
      code: 'warehouse_unavailable',
    });
    await expect(openServerWarehouse({ url: 'not a url' })).rejects.toMatchObject({ code: 'usage' });
  });
});
