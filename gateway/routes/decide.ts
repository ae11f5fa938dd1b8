import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Clock, PresageError, subjectOf } from '../../core/index.ts';
import { shownOf } from '../../decisions/index.ts';
import {
  type DecideAnswer,
  type DecideBatchAnswer,
  type DecideQuestion,
  type DecisionRecord,
  decideAnswer,
  decideBatchAnswer,
  decideBatchBody,
  decideBody,
  errorAnswer,
  idempotencyKey,
} from '../../schemas/index.ts';
import { type CompiledWorkspace, contentHash } from '../../workspace/index.ts';
import { principalOf, tenantOf } from '../auth/principal.ts';
import type { GatewayDeps } from '../deps.ts';
import type { App } from '../http/app.ts';
import { toHttpError } from '../http/errors.ts';
import { limits } from '../limits.ts';
import type { Receipts } from '../outcomes/receipts.ts';

export interface DecideRouteParts {
  readonly decide: GatewayDeps['decide'];
  readonly workspace: CompiledWorkspace;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly receipts: Receipts;
}

const description = 'A public key may ask for anonymous subjects only.';
const access = { access: { kind: 'key', scope: 'write', keyInBody: true }, crossOrigin: true } as const;

/**
 * POST /v1/decide: the next best action, now, for one or several placements. POST /v1/decide/batch: for several
 * subjects; what is wrong with one question is its own answer.
 */
export function decideRoute(app: App, parts: DecideRouteParts): void {
  app.post(
    '/v1/decide',
    {
      config: access,
      bodyLimit: limits.eventBytes,
      schema: {
        tags: ['decide'],
        summary: 'Decide what to show now',
        description,
        headers: z.looseObject({ 'idempotency-key': idempotencyKey }),
        body: decideBody,
        response: { 200: decideAnswer, '4xx': errorAnswer, 503: errorAnswer },
      },
    },
    async (request): Promise<DecideAnswer> => {
      const { deadlineMs, writeKey: _, ...question } = request.body;
      const key = request.headers['idempotency-key']?.replaceAll('"', '');
      if (key !== undefined && question.requestId !== undefined && question.requestId !== key)
        throw new PresageError(
          'two_request_ids',
          'Send an Idempotency-Key or a requestId, or the same in both: the answer is kept under one of them.',
        );
      return answer(question, askerOf(request), deadlineMs, key);
    },
  );
  app.post(
    '/v1/decide/batch',
    {
      config: access,
      bodyLimit: limits.batchBytes,
      schema: {
        tags: ['decide'],
        summary: 'Decide for several subjects',
        description: `${description} At most 100 questions, 500 KB in all; one deadline for all of them.`,
        body: decideBatchBody,
        response: { 200: decideBatchAnswer, '4xx': errorAnswer, 503: errorAnswer },
      },
    },
    async (request): Promise<DecideBatchAnswer> => {
      const { batch, deadlineMs } = request.body;
      const asker = askerOf(request);
      const answers = batch.map(async (question) => {
        try {
          return await answer(question, asker, deadlineMs, undefined);
        } catch (error) {
          const { code, message } = toHttpError(error);
          if (code === 'internal') throw error;
          return { error: { code, message } };
        }
      });
      return { answers: await Promise.all(answers) };
    },
  );

  function askerOf(request: FastifyRequest): Asker {
    const principal = principalOf(request);
    return {
      tenant: tenantOf(request, parts.workspace.tenants),
      isPublic: principal.kind === 'key' && principal.key.kind === 'public',
    };
  }

  async function answer(
    question: DecideQuestion,
    { tenant, isPublic }: Asker,
    deadlineMs: number,
    key: string | undefined,
  ): Promise<DecideAnswer> {
    const receivedAt = parts.clock.now();
    const subject = subjectOf(question);
    if (subject === undefined) {
      throw new PresageError('missing_subject', 'Send userId or anonymousId: a decision is about someone.');
    }
    if (isPublic && question.userId !== undefined) {
      throw new PresageError(
        'forbidden_subject',
        'A public key may ask about an anonymousId only; ask about a known user with a secret key, from your backend.',
      );
    }
    const requestId = key ?? question.requestId ?? parts.newId();
    const placements = placementsOf(question, parts.workspace);
    const { session = null, context } = question;
    const decisions = await parts.decide({
      tenant,
      subject,
      session,
      placements,
      context,
      requestId,
      ...(key === undefined ? {} : { fingerprint: contentHash('decide', { session, placements, context }) }),
      deadlineMs,
      receivedAt,
      simulated: subject.startsWith('a:sim-'),
      mayNameUsers: !isPublic,
    });
    return {
      requestId,
      decisions: decisions.map((decision) => asShown(decision, { tenant, subject, session }, parts.receipts)),
    };
  }
}

interface Asker {
  readonly tenant: string;
  /** A public key: whoever reads the page has it. */
  readonly isPublic: boolean;
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
function asShown(
  decision: DecisionRecord,
  asker: { readonly tenant: string; readonly subject: string; readonly session: string | null },
  receipts: Receipts,
): DecideAnswer['decisions'][number] {
  const { id, placement, mode, recorded, slots } = decision;
  const common = { id, placement, mode, recorded };
  const shown = shownOf(decision).map(({ action, offer: { content, expiresAt } }) => ({
    action,
    offer: { content: { ...content }, expiresAt },
  }));
  const ofSlots = slots === undefined ? {} : { slots: shown };
  const [first] = shown;
  if (first === undefined) return { ...common, action: null, offer: null, ...ofSlots };
  return {
    ...common,
    ...first,
    ...ofSlots,
    // What is not recorded is left out of estimates, so nothing need be told of it.
    ...(recorded
      ? {
          receipt: receipts.issue(asker.tenant, {
            decision: id,
            subject: asker.subject,
            session: asker.session,
            action: first.action,
            placement,
            expiresAt: first.offer.expiresAt,
          }),
        }
      : {}),
  };
}
