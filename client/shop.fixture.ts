import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildClient } from '../scripts/build-client.mjs';
import { makeRig, type Rig } from '../sinks/socketio/push.fixture.ts';

export interface SentEvent {
  readonly messageId: string;
  readonly anonymousId: string;
  readonly type: string;
  readonly event?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** The demo shop as the gateway serves it, with a real push beside it and an ingest that only remembers. */
export interface Shop {
  readonly rig: Rig;
  readonly url: string;
  readonly events: SentEvent[];
  /** While true, everything but the page's own files answers 503. */
  isAway: boolean;
  /** How many requests were answered so. */
  refusals(): number;
  /** Forgets which events it has had. */
  forget(): void;
  close(): Promise<void>;
}

const site = fileURLToPath(new URL('../examples/shop/site/', import.meta.url));
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
};

export async function openShop(): Promise<Shop> {
  const built = await mkdtemp(join(tmpdir(), 'presage-client-'));
  await buildClient(built);
  const events: SentEvent[] = [];
  const seen = new Set<string>();
  let refusals = 0;

  const serve: RequestListener = async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://shop');
    const file = (folder: string, path: string) => {
      const name = normalize(path === '' || path === '/' ? '/index.html' : path);
      response.setHeader('content-type', types[extname(name)] ?? 'application/octet-stream');
      createReadStream(join(folder, name))
        .on('error', () => response.writeHead(404).end())
        .pipe(response);
    };
    if (pathname === '/plain') {
      response.setHeader('content-type', 'text/html; charset=utf-8');
      return response.end(
        '<!doctype html><title>Plain</title><script src="/client/presage.js" data-key="pk_shop" data-render="auto"></script>',
      );
    }
    if (pathname.startsWith('/demo/') && pathname !== '/demo/config.json')
      return file(site, pathname.slice(5));
    if (shop.isAway) {
      refusals += 1;
      return response.writeHead(503).end();
    }
    if (pathname === '/demo/config.json') return response.end('{"key":"pk_shop"}');
    if (pathname.startsWith('/client/')) return file(built, pathname.slice(7));
    if (pathname === '/v1/batch') {
      const { batch } = JSON.parse(await textOf(request)) as { batch: SentEvent[] };
      for (const event of batch) {
        if (seen.has(event.messageId)) continue;
        seen.add(event.messageId);
        events.push(event);
      }
      return response.end('{"accepted":1}');
    }
    return response.writeHead(404).end();
  };

  const rig = await makeRig({ site: serve });
  const shop: Shop = {
    rig,
    url: rig.url,
    events,
    isAway: false,
    refusals: () => refusals,
    forget: () => seen.clear(),
    async close() {
      await rig.close();
      await rm(built, { recursive: true });
    },
  };
  return shop;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
