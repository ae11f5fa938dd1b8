import { type Clock, PresageError, subjectOf } from '../../core/index.ts';
import {
  type DecideAnswer,
  type DecisionRecord,
  decideAnswer,
  decideBody,
  errorAnswer,
} from '../../schemas/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { principalOf, tenantOf } from '../auth/principal.ts';
import type { GatewayDeps } from '../deps.ts';
import type { App } from '../http/app.ts';
import { limits } from '../limits.ts';

export interface DecideRouteParts {
  readonly decide: GatewayDeps['decide'];
  readonly workspace: CompiledWorkspace;
  readonly clock: Clock;
  readonly newId: () => string;
}

/** POST /v1/decide: the next best action, now, for one or several placements. */
export function decideRoute(app: App, parts: DecideRouteParts): void {
  app.post(
    '/v1/decide',
    {
      config: { access: { kind: 'key', scope: 'write', keyInBody: true }, crossOrigin: true },
      bodyLimit: limits.eventBytes,
      schema: {
        tags: ['decide'],
        summary: 'Decide what to show now',
        description: 'A public key may ask for anonymous subjects only.',
        body: decideBody,
        response: { 200: decideAnswer, '4xx': errorAnswer, 503: errorAnswer },
      },
    },
    async (request): Promise<DecideAnswer> => {
      const receivedAt = parts.clock.now();
      const { body } = request;
      const tenant = tenantOf(request, parts.workspace.tenants);
      const principal = principalOf(request);
      const subject = subjectOf(body);
      if (subject === undefined) {
        throw new PresageError('missing_subject', 'Send userId or anonymousId: a decision is about someone.');
      }
      if (principal.kind === 'key' && principal.key.kind === 'public' && body.userId !== undefined) {
        throw new PresageError(
          'forbidden_subject',
          'A public key may ask about an anonymousId only; ask about a known user with a secret key, from your backend.',
        );
      }
      const requestId = body.requestId ?? parts.newId();
      const decisions = await parts.decide({
        tenant,
        subject,
        session: body.session ?? null,
        placements: placementsOf(body, parts.workspace),
        context: body.context,
        requestId,
        receivedAt,
        simulated: subject.startsWith('a:sim-'),
        mayNameUsers: principal.kind !== 'key' || principal.key.kind !== 'public',
      });
      return { requestId, decisions: decisions.map(asShown) };
    },
  );
}

function placementsOf(
  {
    placement,
    placements = [],
  }: { placement?: string | undefined; placements?: readonly string[] | undefined },
  workspace: CompiledWorkspace,
): readonly string[] {
  const asked = [...new Set(placement === undefined ? placements : [placement, ...placements])];
  if (asked.length === 0) {
    throw new PresageError('missing_placement', 'Send placement, or placements: where would it be shown?');
  }
  const unknown = asked.find((name) => !workspace.placements.has(name));
  if (unknown !== undefined) {
    const known = [...workspace.placements.keys()];
    throw new PresageError(
      'unknown_placement',
      `There is no placement "${unknown}"; there is ${known.slice(0, 20).join(', ') || 'none'}.`,
    );
  }
  return asked;
}

/** An action that is only observed, or stopped, was chosen but is not to be shown: the client gets nothing to show. */
function asShown(decision: DecisionRecord): DecideAnswer['decisions'][number] {
  const { id, placement, mode, recorded, offer, action } = decision;
  const shows = mode === 'act' && action !== null && offer !== null;
  return {
    id,
    placement,
    mode,
    action: shows ? action : null,
    offer: shows ? { content: { ...offer.content }, expiresAt: offer.expiresAt } : null,
    recorded,
  };
}
