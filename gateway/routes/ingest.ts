import type { FastifyRequest } from 'fastify';
import { type Clock, PresageError } from '../../core/index.ts';
import {
  batchCall,
  type CallName,
  errorAnswer,
  type IngestAnswer,
  ingestAnswer,
  type Rejection,
  singleCall,
} from '../../schemas/index.ts';
import type { Access } from '../auth/access.ts';
import { principalOf, tenantOf } from '../auth/principal.ts';
import type { App } from '../http/app.ts';
import { type Accepted, acceptMessages, append, type IngestParts, type Origin } from '../ingest/accept.ts';
import { nameOfType } from '../ingest/reject.ts';
import { limits } from '../limits.ts';
import type { GatewayMetrics } from '../metrics.ts';

export interface IngestRouteParts extends IngestParts {
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
}

/** Each call's address for servers and the short one that analytics.js uses. */
const singleCalls: ReadonlyArray<readonly [call: CallName, short: string]> = [
  ['track', '/v1/t'],
  ['identify', '/v1/i'],
  ['page', '/v1/p'],
  ['screen', '/v1/s'],
  ['group', '/v1/g'],
  ['alias', '/v1/a'],
];

const access: Access = { kind: 'key', scope: 'write', keyInBody: true };
const config = { access, crossOrigin: true };
/** Bodies are documented by zod but checked event by event, so that one bad event does not spoil its batch. */
const unchecked = () => (value: unknown) => ({ value });

/** The Segment HTTP tracking API. */
export function ingestRoutes(app: App, parts: IngestRouteParts): void {
  for (const [call, short] of singleCalls) {
    for (const url of [`/v1/${call}`, short]) {
      app.post(
        url,
        {
          config,
          bodyLimit: limits.eventBytes,
          validatorCompiler: unchecked,
          schema: {
            tags: ['ingest'],
            summary: url === short ? `${call}, as analytics.js sends it` : `Record one ${call} call`,
            body: singleCall,
            response: { 200: ingestAnswer, '4xx': errorAnswer, 503: errorAnswer },
          },
        },
        async (request) => {
          const body: unknown = request.body;
          const accepted = acceptMessages(parts, originOf(request, url === short, parts), [body], call, null);
          return answer(parts, accepted, refuseOne);
        },
      );
    }
  }

  for (const url of ['/v1/batch', '/v1/b']) {
    app.post(
      url,
      {
        config,
        bodyLimit: limits.batchBytes,
        validatorCompiler: unchecked,
        schema: {
          tags: ['ingest'],
          summary: url === '/v1/b' ? 'A batch, as analytics.js sends it' : 'Record up to 2,500 calls at once',
          description:
            '200 if at least one call was kept (`rejected` lists the others), 400 only if none was (`details.rejected`).',
          body: batchCall,
          response: { 200: ingestAnswer, '4xx': errorAnswer, 503: errorAnswer },
        },
      },
      async (request) => {
        const { batch, ...rest } = readBatch(request.body);
        const origin = originOf(request, url === '/v1/b', parts);
        const accepted = acceptMessages(parts, origin, batch, null, rest);
        return answer(parts, accepted, (rejected) => refuseAll(rejected, batch.length));
      },
    );
  }

  // analytics.js reports on itself here, without a key; there is nothing in it to keep.
  app.post(
    '/v1/m',
    { config: { access: { kind: 'open' }, crossOrigin: true }, schema: { hide: true } },
    async () => ({
      success: true,
    }),
  );
}

async function answer(
  parts: IngestRouteParts,
  { records, rejected, generated }: Accepted,
  refusal: (rejected: readonly Rejection[]) => PresageError,
): Promise<IngestAnswer> {
  await append(parts, records);
  for (const { code } of rejected) parts.metrics.rejected.inc({ code });
  if (records.length === 0) throw refusal(rejected);
  parts.metrics.accepted.inc({ source: 'api' }, records.length);
  return {
    success: true,
    accepted: records.length,
    rejected: [...rejected],
    ...(generated.length > 0 ? { generated: [...generated] } : {}),
  };
}

function refuseOne([rejection]: readonly Rejection[]): PresageError {
  const {
    code = 'invalid_request',
    message = 'The event can not be kept.',
    index: _index,
    ...details
  } = rejection ?? {};
  return new PresageError(code, message, { details });
}

function refuseAll(rejected: readonly Rejection[], count: number): PresageError {
  const what = count === 1 ? 'The one event could not be kept' : `None of the ${count} events could be kept`;
  return new PresageError('nothing_kept', `${what}: ${rejected[0]?.message ?? ''}`, {
    details: { rejected },
  });
}

function readBatch(body: unknown): {
  batch: readonly unknown[];
  context: Readonly<Record<string, unknown>> | null;
  sentAt: unknown;
} {
  const { batch, context, sentAt } = isObject(body) ? body : {};
  if (!Array.isArray(batch)) {
    throw new PresageError('wrong_type', `batch: expected a list of calls, got ${nameOfType(batch)}.`, {
      details: { path: 'batch', expected: 'list', got: nameOfType(batch) },
    });
  }
  if (batch.length === 0) throw new PresageError('empty_batch', 'The batch has no events.');
  if (batch.length > limits.batchEvents) {
    throw new PresageError(
      'batch_too_large',
      `The batch has ${batch.length} events; at most ${limits.batchEvents} are taken.`,
    );
  }
  return { batch, context: isObject(context) ? context : null, sentAt };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const operatorSource = /^(feed:[A-Za-z0-9._-]{1,120}|simulator)$/;

/** `http` or `browser`; who has the admin token may say `simulator` or `feed:<run>`. */
function originOf(request: FastifyRequest, isShortRoute: boolean, parts: IngestRouteParts): Origin {
  const principal = principalOf(request);
  const tenant = tenantOf(request, parts.workspace.tenants);
  const stated = request.headers['x-presage-source'];
  let source =
    isShortRoute || (principal.kind === 'key' && principal.key.kind === 'public') ? 'browser' : 'http';
  if (stated !== undefined) {
    if (principal.kind !== 'instance') {
      throw new PresageError(
        'forbidden_source',
        'Only with the admin token may x-presage-source say where events come from.',
      );
    }
    if (typeof stated !== 'string' || !operatorSource.test(stated)) {
      throw new PresageError('bad_source', 'x-presage-source can be simulator or feed:<run>.');
    }
    source = stated;
  }
  return { tenant, source, receivedAt: parts.clock.now() };
}
