import { z } from 'zod';
import { type Clock, PresageError } from '../../core/index.ts';
import { errorAnswer, type Status, type StopResult, type Throughput } from '../../schemas/index.ts';
import { type Access, instance } from '../auth/access.ts';
import { mustBeTenant, principalOf, tenantFilter } from '../auth/principal.ts';
import type { GatewayDeps } from '../deps.ts';
import type { App } from '../http/app.ts';
import { limits } from '../limits.ts';
import type { DecisionReader } from '../read/decisions.ts';
import type { TotalsReader } from '../read/status.ts';
import { tryOut } from '../read/try-out.ts';

export interface ConsoleRouteParts
  extends Pick<
    GatewayDeps,
    'workspace' | 'control' | 'roles' | 'throughput' | 'warehouse' | 'simulating' | 'version' | 'folders'
  > {
  readonly clock: Clock;
  readonly startedAt: () => number;
  readonly totals: TotalsReader;
  readonly decisions: DecisionReader;
}

/** The operator in all tenants, or a tenant's admin in its own. */
const admin: Access = { kind: 'key', scope: 'admin', cookieToo: true };
const tags = ['console'];
const answers = { 200: z.unknown(), '4xx': errorAnswer, 503: errorAnswer };

const decisionsQuery = z.object({
  tenant: z.string().max(64).optional(),
  placement: z.string().max(64).optional(),
  action: z.string().max(64).optional(),
  subject: z.string().max(258).optional(),
  before: z.coerce.number().int().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

const switchBody = z
  .object({ tenant: z.string().max(64).optional(), reason: z.string().max(500).optional() })
  .nullish();

/** What the console shows and does (schemas/console.ts), apart from its live stream. */
export function consoleRoutes(app: App, parts: ConsoleRouteParts): void {
  const { workspace, control } = parts;

  const tenantsNow = async (): Promise<StopResult['tenants']> => {
    const stopped = await control.stoppedTenants();
    return [...workspace.tenants.keys()].map((name) => ({ name, stopped: stopped.has(name) }));
  };

  app.get(
    '/api/status',
    { config: { access: instance }, schema: { tags, summary: 'What runs here and how much it has seen' } },
    async (): Promise<Status> => {
      const [tenants, totals] = await Promise.all([tenantsNow().catch(() => null), parts.totals.read()]);
      return {
        workspace: workspace.name,
        workspaceHash: workspace.hash,
        version: parts.version,
        tenants: [...workspace.tenants.values()].map(({ name, currency }) => ({
          name,
          currency,
          // While state can't be read nothing is delivered, and /readyz says why.
          stopped: tenants?.find((tenant) => tenant.name === name)?.stopped ?? false,
        })),
        startedAt: parts.startedAt(),
        simulating: parts.simulating(),
        roles: parts.roles().map(({ name, health }) => ({
          name,
          state: health.state,
          why: health.state === 'ok' ? null : health.why,
        })),
        links: { demo: parts.folders.demo === null ? null : '/demo/', docs: '/docs', metrics: '/metrics' },
        totals,
      };
    },
  );

  app.get(
    '/api/throughput',
    {
      config: { access: instance },
      schema: {
        tags,
        summary: 'Throughput and latency, second by second',
        querystring: z.object({
          since: z.coerce.number().optional().describe('Only seconds from this one on, Unix ms.'),
        }),
        response: answers,
      },
    },
    async (request): Promise<Throughput> => {
      const { since = 0 } = request.query;
      return { points: parts.throughput.read().points.filter(({ at }) => at >= since) };
    },
  );

  app.get(
    '/api/decisions',
    {
      config: { access: admin },
      schema: { tags, summary: 'Decisions, newest first', querystring: decisionsQuery, response: answers },
    },
    async (request) => {
      const { tenant, ...filter } = request.query;
      return parts.decisions.list({ ...filter, tenant: tenantFilter(request, tenant) });
    },
  );

  app.post(
    '/api/tryout',
    {
      config: { access: admin },
      schema: {
        tags,
        summary: 'What a condition gives on the last 100 decisions; nothing is saved',
        body: z.object({
          expression: z.string().min(1).max(2_000),
          tenant: z.string().max(64).optional(),
          placement: z.string().max(64).optional(),
        }),
        response: answers,
      },
    },
    async (request) => {
      const { expression, tenant, placement } = request.body;
      return tryOut(parts.warehouse, parts.workspace, expression, tenantFilter(request, tenant), placement);
    },
  );

  for (const what of ['stop', 'resume'] as const) {
    app.post(
      `/api/actions/${what}`,
      {
        config: { access: admin },
        schema: {
          tags,
          summary: what === 'stop' ? 'Stop every action at once' : 'Let actions go on',
          description: 'Without a tenant: of all tenants that the credential is good for.',
          body: switchBody,
          response: answers,
        },
      },
      async (request): Promise<StopResult> => {
        const { tenant: named, reason } = request.body ?? {};
        if (named !== undefined) mustBeTenant(named, workspace.tenants);
        const tenant = tenantFilter(request, named);
        request.tenant = tenant;
        const tenants = tenant === null ? [...workspace.tenants.keys()] : [tenant];
        const principal = principalOf(request);
        const by = principal.kind === 'key' ? principal.key.id : `operator by ${principal.by}`;
        await control[what](tenants, by, reason);
        // The switch is in every log; workers obey from there on. What they know by now may still be the old state.
        return { tenants: tenants.map((name) => ({ name, stopped: what === 'stop' })) };
      },
    );
  }

  app.post(
    '/api/sql',
    {
      config: { access: instance },
      handlerTimeout: limits.sqlMs,
      schema: {
        tags,
        summary: 'Ask ClickHouse, read-only',
        body: z.object({
          query: z.string().min(1).max(60_000),
          format: z
            .string()
            .regex(/^[A-Za-z0-9]{1,64}$/, 'the name of a ClickHouse output format')
            .default('JSON'),
        }),
        response: answers,
      },
    },
    async (request, reply) => {
      if (parts.warehouse === null) throw noWarehouse();
      const { query, format } = request.body;
      // As bytes: Parquet and its like are no text.
      const result = await parts.warehouse.queryBytes(query, { format });
      void reply.type(typeOfFormat(format));
      return reply.send(result as never);
    },
  );
}

export const noWarehouse = (): PresageError =>
  new PresageError('no_warehouse', 'This instance runs without ClickHouse, where decisions are kept.', {
    retriable: false,
  });

const typeOfFormat = (format: string): string =>
  format.startsWith('JSON') && !format.includes('EachRow')
    ? 'application/json; charset=utf-8'
    : 'text/plain; charset=utf-8';
