import type { Registry } from 'prom-client';
import type { Health } from '../../core/index.ts';
import { open } from '../auth/access.ts';
import type { GatewayDeps } from '../deps.ts';
import type { App } from '../http/app.ts';

export interface OperationsParts {
  readonly roles: GatewayDeps['roles'];
  readonly registry: Registry;
}

const config = { access: open };

/** Alive, ready, and measured: for orchestrators and Prometheus; no tenant's data is in any of them. */
export function operationsRoutes(app: App, { roles, registry }: OperationsParts): void {
  app.get(
    '/healthz',
    { config, schema: { tags: ['operations'], summary: 'This process is alive' } },
    async () => ({
      status: 'alive',
    }),
  );

  app.get(
    '/readyz',
    {
      config,
      schema: { tags: ['operations'], summary: 'All roles but sources work; else 503 and which do not' },
    },
    async (request, reply) => {
      const all = roles();
      const problems = all.flatMap((role) => problemOf(role.name, role.health));
      const notReady = problems.filter(
        ({ name }) => !all.some((role) => role.name === name && role.isSource),
      );
      const names = all.map(({ name }) => name);
      if (notReady.length === 0)
        return { status: 'ready', roles: names, ...(problems.length === 0 ? {} : { sources: problems }) };
      const message = `Not ready: ${notReady.map(({ name, why }) => `${name} (${why})`).join(', ')}.`;
      return reply
        .code(503)
        .header('retry-after', '1')
        .send({ code: 'not_ready', message, requestId: request.id, details: { roles: notReady } });
    },
  );

  app.get(
    '/metrics',
    { config, schema: { tags: ['operations'], summary: 'Metrics in the Prometheus text format' } },
    async (_request, reply) => {
      void reply.type(registry.contentType).serializer((text: unknown) => String(text));
      return registry.metrics();
    },
  );
}

function problemOf(name: string, health: Health): { name: string; state: string; why: string }[] {
  return health.state === 'ok' ? [] : [{ name, state: health.state, why: health.why }];
}
