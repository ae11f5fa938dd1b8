import { PresageError, subjectOf } from '../../core/index.ts';
import { errorAnswer, sessionAnswer, sessionBody } from '../../schemas/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { tenantOf } from '../auth/principal.ts';
import type { App } from '../http/app.ts';
import type { Sessions } from '../sessions.ts';

/** POST /v1/sessions: the shop's backend gets a token for its signed-in visitor's live session. */
export function sessionRoute(app: App, parts: { sessions: Sessions; workspace: CompiledWorkspace }): void {
  app.post(
    '/v1/sessions',
    {
      config: { access: { kind: 'key', scope: 'session' } },
      schema: {
        tags: ['session'],
        summary: 'A token that opens a live session for one subject',
        body: sessionBody,
        response: { 200: sessionAnswer, '4xx': errorAnswer, 503: errorAnswer },
      },
    },
    async (request) => {
      const { body } = request;
      const tenant = tenantOf(request, parts.workspace.tenants);
      const subject = subjectOf(body);
      if (subject === undefined) {
        throw new PresageError('missing_subject', 'Send userId or anonymousId: whose session is it?');
      }
      return parts.sessions.mint({ tenant, subject, session: body.session ?? null }, body.ttl * 1_000);
    },
  );
}
