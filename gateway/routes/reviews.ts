import { z } from 'zod';
import { errorAnswer, reviewBody } from '../../schemas/index.ts';
import type { Access } from '../auth/access.ts';
import { principalOf, tenantFilter } from '../auth/principal.ts';
import type { ReviewDesk } from '../deps.ts';
import type { App } from '../http/app.ts';

const answers = { 200: z.unknown(), '4xx': errorAnswer, 503: errorAnswer };
const idParam = z.object({ id: z.string().min(1).max(64) });
const listQuery = z.object({
  tenant: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
});

/** Decisions that wait for a person, and what people say of them: for a tenant's admin by key, and for the console. */
export function reviewRoutes(app: App, desk: ReviewDesk): void {
  const byKey: Access = { kind: 'key', scope: 'admin' };
  const byConsole: Access = { kind: 'key', scope: 'admin', cookieToo: true };

  for (const [url, access] of [
    ['/v1/reviews', byKey],
    ['/api/reviews', byConsole],
  ] as const) {
    const config = { access };
    const tags = [url.startsWith('/v1') ? 'reviews' : 'console'];

    app.get(
      url,
      {
        config,
        schema: {
          tags,
          summary: 'Decisions that wait for a person, the next to expire first, and the newest verdicts',
          querystring: listQuery,
          response: answers,
        },
      },
      async (request) => desk.list(tenantFilter(request, request.query.tenant), request.query.limit),
    );

    app.get(
      `${url}/:id`,
      {
        config,
        schema: { tags, summary: 'One of them, with the whole decision', params: idParam, response: answers },
      },
      async (request) => desk.one(tenantFilter(request), request.params.id),
    );

    app.post(
      `${url}/:id`,
      {
        config,
        schema: {
          tags,
          summary: 'Approve, edit or reject it',
          description:
            'The first verdict stands: whoever comes later gets 409 `already_reviewed`, with whose it was. After its time it is 409 `review_expired`.',
          params: idParam,
          body: reviewBody,
          response: answers,
        },
      },
      async (request) => {
        const tenant = tenantFilter(request);
        const principal = principalOf(request);
        const by = principal.kind === 'key' ? `key ${principal.key.id}` : `operator by ${principal.by}`;
        return desk.say(tenant, request.params.id, request.body, by);
      },
    );
  }
}
