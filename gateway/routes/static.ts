import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { open } from '../auth/access.ts';
import type { Folders } from '../deps.ts';
import type { App } from '../http/app.ts';

/** Addresses that are not pages: what is not found there is an error for a program, never the console. */
const notPages = /^\/(api|v1|docs|metrics|healthz|readyz|client|push|socket\.io)(\/|$|\?)/;

/** The console at /, the demo site at /demo/, the browser client at /client/presage.js. */
export async function staticRoutes(app: App, folders: Folders): Promise<void> {
  await serve(app, folders.client, '/client/', (setHeader) => {
    // Shops load it into their own pages.
    setHeader('cross-origin-resource-policy', 'cross-origin');
    setHeader('access-control-allow-origin', '*');
    setHeader('cache-control', 'public, max-age=300');
  });
  await serve(app, folders.demo, '/demo/', (setHeader) => setHeader('cache-control', 'no-cache'));
  await serve(app, folders.console, '/', (setHeader, path) => {
    // Built assets carry their hash in their name; index.html names the current ones.
    setHeader(
      'cache-control',
      path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    );
  });
  if (folders.demo !== null) {
    app.get('/demo', { config: { access: open }, schema: { hide: true } }, async (_request, reply) =>
      reply.redirect('/demo/', 308),
    );
  }

  app.setNotFoundHandler(async (request, reply) => {
    const wantsPage =
      request.method === 'GET' &&
      request.headers.accept?.includes('text/html') === true &&
      !notPages.test(request.url);
    const page =
      wantsPage && folders.console !== null ? await readPage(join(folders.console, 'index.html')) : null;
    if (page !== null)
      return reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(page);
    const path = request.url.split('?', 1)[0] ?? '';
    const hint = wantsPage
      ? 'the console has not been built; run `npm run build`'
      : 'the addresses there are stand at /docs';
    return reply.code(404).send({
      code: 'not_found',
      message: `There is nothing at ${request.method} ${path}: ${hint}.`,
      requestId: request.id,
    });
  });
}

/** The console finds its way by the address itself, so every page is this one. */
async function readPage(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch {
    return null;
  }
}

async function serve(
  app: App,
  root: string | null,
  prefix: string,
  headers: (setHeader: (name: string, value: string) => void, path: string) => void,
): Promise<void> {
  if (root === null || !existsSync(root)) return;
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: open };
    });
    await scope.register(fastifyStatic, {
      root,
      prefix,
      decorateReply: false,
      cacheControl: false,
      dotfiles: 'deny',
      setHeaders: (reply, path) => headers((name, value) => void reply.header(name, value), path),
    });
  });
}
