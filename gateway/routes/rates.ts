import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Clock, PresageError } from '../../core/index.ts';
import { errorAnswer, type OutcomeLift, type OutcomeRates } from '../../schemas/index.ts';
import { type OutcomeScope, outcomeLift, outcomeRates, ratesBy } from '../../sinks/clickhouse/index.ts';
import { tenantFilter } from '../auth/principal.ts';
import type { GatewayDeps } from '../deps.ts';
import type { App } from '../http/app.ts';
import { limits } from '../limits.ts';
import { noWarehouse } from './console.ts';

export interface RatesRouteParts extends Pick<GatewayDeps, 'warehouse' | 'workspace'> {
  readonly clock: Clock;
}

const day = 86_400_000;
/** As long as events are kept. */
const longestMs = 400 * day;

const ratesQuery = z.object({
  by: z.enum(ratesBy).default('action').describe('What decisions are grouped by.'),
  tenant: z.string().max(64).optional(),
  from: z.coerce
    .number()
    .int()
    .optional()
    .describe('Decided from here on, Unix ms; default 7 days before `to`, of /api/lift 90.'),
  to: z.coerce.number().int().optional().describe('Decided before this, Unix ms; default now.'),
  at: z.coerce.number().int().optional().describe('As known at this time, Unix ms; default now.'),
});

/** GET /api/outcomes and /api/lift: what came of decisions, attributed as it is asked. */
export function ratesRoute(app: App, { warehouse, workspace, clock }: RatesRouteParts): void {
  app.get(
    '/api/outcomes',
    {
      config: { access: { kind: 'key', scope: 'admin', cookieToo: true } },
      handlerTimeout: limits.sqlMs,
      schema: {
        tags: ['console'],
        summary:
          'What came of decisions: counts, rates and values by action, placement, policy, rung or model',
        querystring: ratesQuery,
        response: { 200: z.unknown(), '4xx': errorAnswer, 503: errorAnswer },
      },
    },
    async (request): Promise<OutcomeRates> => {
      if (warehouse === null) throw noWarehouse();
      const { by, ...asked } = request.query;
      return outcomeRates(warehouse, workspace.outcomes, scopeOf(request, asked, 7 * day), by);
    },
  );
  app.get(
    '/api/lift',
    {
      config: { access: { kind: 'key', scope: 'admin', cookieToo: true } },
      handlerTimeout: limits.sqlMs,
      schema: {
        tags: ['console'],
        summary:
          'What deciding brings: who was offered something against who was held out, by intention to treat',
        querystring: ratesQuery.omit({ by: true }),
        response: { 200: z.unknown(), '4xx': errorAnswer, 503: errorAnswer },
      },
    },
    async (request): Promise<OutcomeLift> => {
      if (warehouse === null) throw noWarehouse();
      return outcomeLift(warehouse, workspace.outcomes, scopeOf(request, request.query, 90 * day));
    },
  );

  function scopeOf(
    request: FastifyRequest,
    { tenant, at, to, from }: Omit<z.infer<typeof ratesQuery>, 'by'>,
    usualMs: number,
  ): OutcomeScope {
    const now = clock.now();
    const end = to ?? now + 1;
    const begin = from ?? end - usualMs;
    if (begin >= end || end - begin > longestMs)
      throw new PresageError(
        'bad_range',
        'from: expected a time before `to`, and at most 400 days before it.',
      );
    return { tenant: tenantFilter(request, tenant), from: begin, to: end, at: at ?? now, simulated: null };
  }
}
