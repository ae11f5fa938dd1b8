import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { PresageError } from '../../core/index.ts';
import { instance, open } from '../auth/access.ts';
import { type ConsoleSessions, consoleCookie } from '../auth/cookie.ts';
import type { SignInLinks } from '../auth/links.ts';
import type { App } from '../http/app.ts';
import { limits } from '../limits.ts';

export interface SignInParts {
  readonly links: SignInLinks;
  readonly consoleSessions: ConsoleSessions;
  /** The whole link for a token. */
  readonly linkOf: (token: string) => string;
}

/** Signing in to the console: a link that works once, then a cookie that scripts can't read. */
export function signInRoutes(app: App, { links, consoleSessions, linkOf }: SignInParts): void {
  const cookieOptions = (request: FastifyRequest) =>
    ({ path: '/', httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https' }) as const;

  app.get(
    '/signin',
    {
      config: { access: open },
      schema: { hide: true, querystring: z.object({ token: z.string().max(128).default('') }) },
    },
    async (request, reply) => {
      if (!links.use(request.query.token)) {
        if (!request.headers.accept?.includes('text/html')) throw linkUsed();
        return reply
          .code(401)
          .type('text/html; charset=utf-8')
          .serializer(String)
          .send(linkUsedPage as never);
      }
      void reply.setCookie(consoleCookie, await consoleSessions.issue(), {
        ...cookieOptions(request),
        maxAge: limits.consoleSessionMs / 1_000,
      });
      return reply.header('cache-control', 'no-store').redirect('/', 303);
    },
  );

  app.post(
    '/api/signout',
    { config: { access: instance }, schema: { tags: ['console'], summary: 'Forget the cookie' } },
    async (request, reply) => {
      void reply.clearCookie(consoleCookie, cookieOptions(request));
      return { signedOut: true };
    },
  );

  app.post(
    '/api/link',
    { config: { access: instance }, schema: { tags: ['console'], summary: 'Another one-time sign-in link' } },
    async () => ({
      link: linkOf(links.make()),
    }),
  );
}

const sentence = 'This sign-in link has been used, or is more than 15 minutes old.';

const linkUsed = (): PresageError =>
  new PresageError('link_used', `${sentence} Make another with \`npx presage link\`.`);

const linkUsedPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Presage: sign in</title></head>
<body style="font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem">
<h1 style="font-size:1.25rem">This link no longer works</h1>
<p>${sentence}</p><p>Make another where Presage runs: <code>npx presage link</code></p></body></html>`;
