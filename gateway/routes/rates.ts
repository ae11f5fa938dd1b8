import { z } from 'zod';
import { type Clock, PresageError } from '../../core/index.ts';
import { errorAnswer, type OutcomeRates } from '../../schemas/index.ts';
import { outcomeRates, ratesBy } from '../../sinks/clickhouse/index.ts';
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
    .describe('Decided from here on, Unix ms; default 7 days before `to`.'),
  to: z.coerce.number().int().optional().describe('Decided before this, Unix ms; default now.'),
  at: z.coerce.number().int().optional().describe('As known at this time, Unix ms; default now.'),
});

/** GET /api/outcomes: what came of decisions, attributed as it is asked. */
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
      const now = clock.now();
      const { by, tenant, at = now, to = now + 1, from = to - 7 * day } = request.query;
      if (from >= to || to - from > longestMs)
        throw new PresageError(
          'bad_range',
          'from: expected a time before `to`, and at most 400 days before it.',
        );
      const scope = { tenant: tenantFilter(request, tenant), from, to, at, simulated: null };
      return outcomeRates(warehouse, workspace.outcomes, scope, by);
    },
  );
}
