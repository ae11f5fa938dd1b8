import { z } from 'zod';
import { errorAnswer, scopeNames } from '../../schemas/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { Access } from '../auth/access.ts';
import { tenantFilter, tenantOf } from '../auth/principal.ts';
import type { App } from '../http/app.ts';
import type { KeyStore } from '../keys/index.ts';

const access: Access = { kind: 'key', scope: 'admin', cookieToo: true };
const config = { access };
const tags = ['keys'];
const answers = { 200: z.unknown(), '4xx': errorAnswer, 503: errorAnswer };
const idParam = z.object({ id: z.string().min(1).max(64) });

/** Keys by HTTP: what `presage keys` calls. A tenant's admin sees and changes its own tenant's only. */
export function keyRoutes(
  app: App,
  { keys, workspace }: { keys: KeyStore; workspace: CompiledWorkspace },
): void {
  app.get(
    '/api/keys',
    { config, schema: { tags, summary: 'Keys, without their texts', response: answers } },
    async (request) => ({
      keys: await keys.list(tenantFilter(request) ?? undefined),
    }),
  );

  app.post(
    '/api/keys',
    {
      config,
      schema: {
        tags,
        summary: 'Make a key; the answer is the only time its text is seen',
        body: z.object({
          tenant: z.string().min(1).max(64).optional(),
          kind: z.enum(['public', 'secret']),
          scopes: z.array(z.enum(scopeNames)).max(scopeNames.length).optional(),
          name: z.string().max(128).default(''),
        }),
        response: answers,
      },
    },
    async (request) => {
      const { tenant: named, kind, scopes, name } = request.body;
      const tenant = tenantOf(request, workspace.tenants, named);
      return keys.create({ tenant, kind, name, ...(scopes === undefined ? {} : { scopes }) });
    },
  );

  app.post(
    '/api/keys/:id/rotate',
    {
      config,
      schema: {
        tags,
        summary: 'Make a successor; the old key works on for the overlap',
        params: idParam,
        body: z
          .object({
            overlapSeconds: z
              .number()
              .int()
              .min(0)
              .max(30 * 86_400)
              .optional(),
          })
          .nullish(),
        response: answers,
      },
    },
    async (request) => {
      const tenant = tenantFilter(request);
      const { overlapSeconds } = request.body ?? {};
      return keys.rotate(request.params.id, {
        ...(tenant === null ? {} : { tenant }),
        ...(overlapSeconds === undefined ? {} : { overlapMs: overlapSeconds * 1_000 }),
      });
    },
  );

  app.post(
    '/api/keys/:id/revoke',
    { config, schema: { tags, summary: 'End a key at once', params: idParam, response: answers } },
    async (request) => {
      const tenant = tenantFilter(request);
      return { info: await keys.revoke(request.params.id, tenant === null ? {} : { tenant }) };
    },
  );
}
