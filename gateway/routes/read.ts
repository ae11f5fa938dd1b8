import { z } from 'zod';
import { PresageError } from '../../core/index.ts';
import { clientTime, decisionDetailAnswer, errorAnswer, subjectFeaturesAnswer } from '../../schemas/index.ts';
import type { ReadAt } from '../../stream/subject-reader.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { Access } from '../auth/access.ts';
import { tenantFilter, tenantOf } from '../auth/principal.ts';
import type { App } from '../http/app.ts';
import { readTime } from '../ingest/time.ts';
import type { DecisionReader } from '../read/decisions.ts';
import { readSubjectFeatures, readSubjectId, type SubjectFeatureParts } from '../read/subject-features.ts';

export interface ReadRouteParts extends SubjectFeatureParts {
  readonly workspace: CompiledWorkspace;
  readonly decisions: DecisionReader;
}

const idParam = z.object({ id: z.string().min(1).max(512) });
const featuresQuery = z.object({
  at: z
    .union([z.literal('newest'), clientTime])
    .optional()
    .describe("When to read at: `newest` (the subject's newest event), ISO 8601 or Unix ms; default now."),
});

/** One decision and one subject's features: for tenants by key, and the same for the console. */
export function readRoutes(app: App, parts: ReadRouteParts): void {
  const byKey: Access = { kind: 'key', scope: 'read' };
  const byConsole: Access = { kind: 'key', scope: 'admin', cookieToo: true };

  for (const [url, access] of [
    ['/v1/decisions/:id', byKey],
    ['/api/decisions/:id', byConsole],
  ] as const) {
    app.get(
      url,
      {
        config: { access },
        schema: {
          tags: [url.startsWith('/v1') ? 'read' : 'console'],
          summary: 'One decision: every candidate with its verdict, what was shown and what came of it',
          params: idParam,
          response: { 200: decisionDetailAnswer, '4xx': errorAnswer, 503: errorAnswer },
        },
      },
      async (request, reply) => {
        const detail = await parts.decisions.one(tenantFilter(request), request.params.id);
        return reply.send(detail as never);
      },
    );
  }

  for (const [url, access] of [
    ['/v1/subjects/:id/features', byKey],
    ['/api/subjects/:id/features', byConsole],
  ] as const) {
    app.get(
      url,
      {
        config: { access },
        schema: {
          tags: [url.startsWith('/v1') ? 'read' : 'console'],
          summary: "A subject's features as committed",
          description: 'The id is u:<userId>, a:<anonymousId>, or a plain user id.',
          params: idParam,
          querystring: featuresQuery.extend({ tenant: z.string().max(64).optional() }),
          response: { 200: subjectFeaturesAnswer, '4xx': errorAnswer, 503: errorAnswer },
        },
      },
      async (request, reply) => {
        const tenant = tenantOf(request, parts.workspace.tenants, request.query.tenant);
        const subject = readSubjectId(request.params.id);
        const features = await readSubjectFeatures(parts, tenant, subject, readAt(request.query.at, parts));
        return reply.send(features as never);
      },
    );
  }
}

function readAt(text: string | number | undefined, parts: ReadRouteParts): ReadAt {
  if (text === undefined) return 'now';
  if (text === 'newest') return text;
  const time = readTime(/^\d+$/.test(String(text)) ? Number(text) : text, parts.clock.now());
  if (!time.ok) throw new PresageError(time.reason.code, `at: ${time.reason.message}`);
  return time.value;
}
