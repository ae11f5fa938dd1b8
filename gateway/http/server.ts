import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import fastifyCookie from '@fastify/cookie';
import fastifyCors from '@fastify/cors';
import Fastify, { type FastifyReply } from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { type Logger, messageOf, PresageError } from '../../core/index.ts';
import { limits } from '../limits.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { App } from './app.ts';
import { type BodyBudget, readJsonBodies } from './body.ts';
import { toHttpError } from './errors.ts';
import { setSecurityHeaders } from './headers.ts';

export interface ServerParts {
  readonly logger: Logger;
  readonly newId: () => string;
  readonly metrics: GatewayMetrics;
  readonly budget: BodyBudget;
  readonly isStopping: () => boolean;
}

/** The HTTP server without routes: limits, bodies, headers, errors, logs. Everything is bounded explicitly. */
export async function makeServer(parts: ServerParts): Promise<App> {
  const app = Fastify({
    // Requests are logged below, by the logger that we were given.
    logger: false,
    genReqId: parts.newId,
    // A client's own id would let it forge lines of our log.
    requestIdHeader: false,
    bodyLimit: limits.bodyBytes,
    connectionTimeout: limits.idleConnectionMs,
    keepAliveTimeout: limits.idleConnectionMs,
    requestTimeout: limits.requestMs,
    handlerTimeout: limits.handlerMs,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 1_024 },
    http: { maxHeaderSize: limits.headerBytes, headersTimeout: limits.headersMs },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      const { status, code, message } = toHttpError(error);
      // Typed for a route; here there is none.
      const answer = reply as unknown as FastifyReply;
      void answer.code(status).send({ code, message, requestId: request.id });
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.server.maxConnections = limits.connections;

  app.setValidatorCompiler(validatorCompiler);
  // Answers are ours and typed; checking them again would only cost time.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  setSecurityHeaders(app);
  app.addHook('onRequest', async () => {
    if (!parts.isStopping()) return;
    throw new PresageError('stopping', 'Presage is being stopped; try again shortly.', { retriable: true });
  });
  await allowOtherOrigins(app);
  await app.register(fastifyCookie);
  readJsonBodies(app, parts.budget);
  answerErrors(app, parts.logger);
  logRequests(app, parts);
  return app;
}

/** Pages of any origin may call the routes that say so, without cookies; all others answer no preflight. */
async function allowOtherOrigins(app: App): Promise<void> {
  const paths = new Set<string>();
  app.addHook('onRoute', (route) => {
    if (route.config?.crossOrigin === true) paths.add(route.url);
  });
  await app.register(fastifyCors, {
    delegator: (request, callback) => {
      const path = request.url.split('?', 1)[0] ?? '';
      callback(null, {
        origin: paths.has(path) ? '*' : false,
        methods: ['GET', 'POST'],
        allowedHeaders: ['content-type', 'authorization', 'x-presage-tenant', 'idempotency-key'],
        exposedHeaders: ['x-request-id', 'retry-after'],
        maxAge: 86_400,
        strictPreflight: false,
      });
    },
  });
}

function answerErrors(app: App, logger: Logger): void {
  app.setErrorHandler((error, request, reply) => {
    const { status, code, message, details, retryAfter } = toHttpError(error);
    if (code === 'internal') {
      const trace = error instanceof Error ? error.stack : String(error);
      logger.error(
        { requestId: request.id, tenant: request.tenant, err: messageOf(error), trace },
        'A request failed unexpectedly',
      );
    }
    if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
    return reply
      .code(status)
      .send({ code, message, requestId: request.id, ...(details === undefined ? {} : { details }) });
  });
}

function logRequests(app: App, { logger, metrics, budget }: ServerParts): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const { statusCode: status, elapsedTime } = reply;
    metrics.requests.inc({ method: request.method, route, status });
    metrics.requestSeconds.observe({ route }, elapsedTime / 1_000);
    metrics.bodiesInHand.set(budget.used);
    const fields = {
      requestId: request.id,
      tenant: request.tenant,
      method: request.method,
      route,
      status,
      ms: Math.round(elapsedTime * 10) / 10,
    };
    // A line for each of ten thousand good requests a second would cost more than serving them.
    if (status >= 500) logger.warn(fields, 'Request failed');
    else if (status >= 400) logger.info(fields, 'Request refused');
    else logger.debug(fields, 'Request served');
  });
}

/** What could not even be read as HTTP; there is no request yet to answer in the usual way. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, message] = brokenRequest(error.code);
  const body = JSON.stringify({ code, message, requestId: '' });
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  );
}

function brokenRequest(code: string | undefined): readonly [status: number, code: string, message: string] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [431, 'headers_too_large', `The headers are larger than ${limits.headerBytes / 1024} KB.`];
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, 'request_timeout', 'The request did not arrive completely in time.'];
    default:
      return [400, 'malformed_request', 'This is not a valid HTTP request.'];
  }
}
