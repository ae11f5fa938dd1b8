import { z } from 'zod';
import { type Clock, PresageError } from '../../core/index.ts';
import { errorAnswer, explainAnswer, explainBody } from '../../schemas/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { Access } from '../auth/access.ts';
import { tenantOf } from '../auth/principal.ts';
import type { GatewayDeps } from '../deps.ts';
import type { App } from '../http/app.ts';
import { readSubjectId } from '../read/subject-features.ts';

export interface ExplainRouteParts {
  readonly explain: NonNullable<GatewayDeps['explain']>;
  readonly workspace: CompiledWorkspace;
  readonly clock: Clock;
  readonly newId: () => string;
}

const access: Access = { kind: 'key', scope: 'admin', cookieToo: true };

/** POST /api/explain: what would be decided now, and why not the others; what `presage explain` shows. */
export function explainRoute(app: App, { explain, workspace, clock, newId }: ExplainRouteParts): void {
  app.post(
    '/api/explain',
    {
      config: { access },
      schema: {
        tags: ['console'],
        summary:
          "What would be decided now, with every candidate's verdict; records nothing and takes from no cap",
        body: explainBody.extend({ tenant: z.string().max(64).optional() }),
        response: { 200: explainAnswer, '4xx': errorAnswer, 503: errorAnswer },
      },
    },
    async (request, reply) => {
      const { placement, session, context } = request.body;
      const tenant = tenantOf(request, workspace.tenants, request.body.tenant);
      if (!workspace.placements.has(placement)) {
        const known = [...workspace.placements.keys()].slice(0, 20).join(', ') || 'none';
        throw new PresageError(
          'unknown_placement',
          `There is no placement "${placement}"; there is ${known}.`,
        );
      }
      const subject = readSubjectId(request.body.subject);
      const [decision] = await explain({
        tenant,
        subject,
        session: session ?? null,
        placements: [placement],
        context,
        requestId: newId(),
        receivedAt: clock.now(),
        simulated: subject.startsWith('a:sim-'),
        mayNameUsers: true,
      });
      return reply.send({ decision } as never);
    },
  );
}
