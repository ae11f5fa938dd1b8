import { z } from 'zod';
import { errorAnswer, subjectStateAnswer } from '../../schemas/index.ts';
import type { Access } from '../auth/access.ts';
import { tenantOf } from '../auth/principal.ts';
import type { App } from '../http/app.ts';
import { readSubjectId } from '../read/subject-features.ts';
import { readSubjectState, type SubjectStateParts } from '../read/subject-state.ts';

const access: Access = { kind: 'key', scope: 'admin', cookieToo: true };

/** GET /api/subjects/:id/state: what `presage state inspect` shows. */
export function subjectStateRoute(app: App, parts: SubjectStateParts): void {
  app.get(
    '/api/subjects/:id/state',
    {
      config: { access },
      schema: {
        tags: ['console'],
        summary: 'All that is kept of a subject, decoded',
        description: 'The id is u:<userId>, a:<anonymousId>, or a plain user id.',
        params: z.object({ id: z.string().min(1).max(512) }),
        querystring: z.object({ tenant: z.string().max(64).optional() }),
        response: { 200: subjectStateAnswer, '4xx': errorAnswer, 503: errorAnswer },
      },
    },
    async (request, reply) => {
      const tenant = tenantOf(request, parts.workspace.tenants, request.query.tenant);
      const state = await readSubjectState(parts, tenant, readSubjectId(request.params.id));
      return reply.send(state as never);
    },
  );
}
