import {
  errorAnswer,
  type FeedEvent,
  feedEvent,
  type IngestFeedAnswer,
  ingestBody,
  ingestFeedAnswer,
} from '../../schemas/index.ts';
import { instance } from '../auth/access.ts';
import { mustBeTenant } from '../auth/principal.ts';
import type { App } from '../http/app.ts';
import { acceptFeed, append } from '../ingest/accept.ts';
import { type Checked, kept, nameOfType, refused } from '../ingest/reject.ts';
import { limits } from '../limits.ts';
import type { IngestRouteParts } from './ingest.ts';

/** POST /v1/ingest: what `presage feed` sends, in the order of its file, of any tenant. */
export function feedRoute(app: App, parts: IngestRouteParts): void {
  app.post(
    '/v1/ingest',
    {
      config: { access: instance },
      bodyLimit: limits.feedBytes,
      schema: {
        tags: ['ingest'],
        summary: 'Record up to 2,000 events in order (operator)',
        body: ingestBody,
        response: { 200: ingestFeedAnswer, '4xx': errorAnswer, 503: errorAnswer },
      },
    },
    async (request): Promise<IngestFeedAnswer> => {
      const { tenant, source, events } = request.body;
      mustBeTenant(tenant, parts.workspace.tenants);
      request.tenant = tenant;
      const origin = { tenant, source, receivedAt: parts.clock.now() };
      const { records, rejected } = acceptFeed(parts, origin, events.map(readFeedEvent));
      const appended = await append(parts, records);
      const offsets: Record<string, number> = {};
      records.forEach(({ partition }, i) => {
        offsets[partition] = Math.max(offsets[partition] ?? -1, appended[i] ?? -1);
      });
      for (const { code } of rejected) parts.metrics.rejected.inc({ code });
      parts.metrics.accepted.inc({ source: source.split(':', 1)[0] ?? source }, records.length);
      return { accepted: records.length, rejected: [...rejected], offsets };
    },
  );
}

function readFeedEvent(json: unknown): Checked<FeedEvent> {
  const parsed = feedEvent.safeParse(json);
  if (parsed.success) return kept(parsed.data);
  const issue = parsed.error.issues[0];
  const path = issue?.path.map(String).join('.') ?? '';
  if (path === 'id' && (json as { id?: unknown }).id === undefined) {
    return refused(
      'missing_id',
      'An event that is fed needs an id, so that feeding it again changes nothing.',
      { path },
    );
  }
  const got = nameOfType(path === '' ? json : (json as Record<string, unknown>)[path]);
  return refused('wrong_type', `${path === '' ? 'event' : path}: ${issue?.message ?? 'is not valid'}.`, {
    path,
    got,
  });
}
