import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Health, messageOf, PresageError, type Role } from '../core/index.ts';
import type { LiveMessage } from '../schemas/index.ts';
import { makeAdminCheck } from './auth/admin.ts';
import { authenticateRequests } from './auth/authenticate.ts';
import { makeConsoleSessions } from './auth/cookie.ts';
import { makeSignInLinks } from './auth/links.ts';
import type { GatewayDeps } from './deps.ts';
import { collectDocs, serveDocs } from './docs.ts';
import type { App } from './http/app.ts';
import { makeBodyBudget } from './http/body.ts';
import { closeGracefully } from './http/closing.ts';
import { passGate } from './http/gate.ts';
import { makeServer } from './http/server.ts';
import { cachedKeys } from './keys/index.ts';
import { limits } from './limits.ts';
import { makeLiveView } from './live/view.ts';
import { gatewayMetrics } from './metrics.ts';
import { makeReceipts } from './outcomes/receipts.ts';
import { makeDecisionReader } from './read/decisions.ts';
import { makeTotals } from './read/status.ts';
import { buildRoutes } from './routes/builds.ts';
import { consoleRoutes } from './routes/console.ts';
import { decideRoute } from './routes/decide.ts';
import { demoRoutes } from './routes/demo.ts';
import { explainRoute } from './routes/explain.ts';
import { feedRoute } from './routes/feed.ts';
import { feedStatusRoute } from './routes/feed-status.ts';
import { ingestRoutes } from './routes/ingest.ts';
import { keyRoutes } from './routes/keys.ts';
import { liveRoute } from './routes/live.ts';
import { operationsRoutes } from './routes/operations.ts';
import { outcomesRoute } from './routes/outcomes.ts';
import { ratesRoute } from './routes/rates.ts';
import { readRoutes } from './routes/read.ts';
import { repartitionRoutes } from './routes/repartition.ts';
import { reviewRoutes } from './routes/reviews.ts';
import { sessionRoute } from './routes/sessions.ts';
import { signInRoutes } from './routes/signin.ts';
import { staticRoutes } from './routes/static.ts';
import { subjectStateRoute } from './routes/subject-state.ts';
import { makeSessions, type Sessions } from './sessions.ts';

/** One address of the running server. */
export interface RouteInfo {
  readonly method: string;
  readonly url: string;
}

/** The HTTP side of Presage. `start()` listens; it rejects with `port_taken` where another program is there. */
export interface Gateway extends Role {
  /** For Socket.IO to attach to, before `start()`. */
  readonly server: Server;
  /** `http://127.0.0.1:7400`. Throws before `start()`. */
  readonly address: string;
  readonly sessions: Sessions;
  /** Every route, for tests that go over all of them. */
  readonly routes: readonly RouteInfo[];
  /** A new sign-in link for the console; works once, for 15 minutes. */
  signInLink(): string;
  /** Shows what neither log nor outbox tells (`pushed`) in the live view. */
  publish(message: LiveMessage): void;
  /** Ends all open live views: they come back by themselves, to the partitions that there are then. */
  endLiveStreams(): void;
}

/** Puts the gateway together; nothing listens before `start()`. */
export async function makeGateway(deps: GatewayDeps): Promise<Gateway> {
  const { clock, newId, workspace } = deps;
  const logger = deps.logger.child({ role: 'gateway' });
  const metrics = gatewayMetrics(deps.registry);
  const findKey = cachedKeys(deps.keys, clock);
  const sessions = makeSessions({ secrets: deps.sessionSecrets, findKey, clock, newId });
  const consoleSessions = makeConsoleSessions(deps.consoleSecret, clock);
  const links = makeSignInLinks(clock, deps.randomBytes);
  const decisions = makeDecisionReader(deps.warehouse);
  const totals = makeTotals(deps.warehouse, clock, logger);
  const live = makeLiveView({
    ...deps,
    logger,
    onListeners: (count) => metrics.liveListeners.set(count),
  });
  let health: Health = { state: 'starting', why: 'not started yet' };
  let isStopping = false;
  let startedAt = clock.now();
  let address: string | null = null;

  const app = await makeServer({
    logger,
    newId,
    metrics,
    budget: makeBodyBudget(limits.bodiesInHandBytes),
    isStopping: () => isStopping,
  });
  const close = closeGracefully(app, (error) =>
    logger.warn({ err: messageOf(error) }, 'Closing the server failed'),
  );
  const routes = listRoutes(app);
  authenticateRequests(app, { isAdmin: makeAdminCheck(deps.adminToken), consoleSessions, findKey, clock });
  if (deps.gate !== undefined) passGate(app, deps.gate);
  await collectDocs(app, deps.version);

  const ingest = { log: deps.log, workspace, newId, clock, metrics };
  // The gateway is one of the roles that readiness is about, though whoever wires the others can't know it yet.
  const roles = () => [{ name: 'gateway', health }, ...deps.roles()];
  ingestRoutes(app, ingest);
  feedRoute(app, ingest);
  if (deps.feedStatus !== null) feedStatusRoute(app, deps.feedStatus);
  if (deps.builds) buildRoutes(app, deps.builds);
  if (deps.repartition) repartitionRoutes(app, deps.repartition);
  const receipts = makeReceipts(deps.sessionSecrets);
  decideRoute(app, { decide: deps.decide, workspace, clock, newId, receipts });
  if (deps.explain) explainRoute(app, { explain: deps.explain, workspace, clock, newId });
  outcomesRoute(app, { ...deps, metrics, receipts });
  ratesRoute(app, deps);
  sessionRoute(app, { sessions, workspace });
  readRoutes(app, { ...deps, decisions });
  subjectStateRoute(app, deps);
  consoleRoutes(app, { ...deps, roles, startedAt: () => startedAt, totals, decisions });
  if (deps.reviews !== undefined) reviewRoutes(app, deps.reviews);
  keyRoutes(app, { keys: deps.keys, workspace });
  const endLiveStreams = liveRoute(app, live);
  signInRoutes(app, { links, consoleSessions, linkOf });
  operationsRoutes(app, { roles, registry: deps.registry });
  if (deps.demo !== null) demoRoutes(app, { demo: deps.demo, workspace });
  await serveDocs(app);
  await staticRoutes(app, deps.folders);
  await app.ready();

  function linkOf(token: string): string {
    return `${addressNow()}/signin?token=${token}`;
  }

  function addressNow(): string {
    if (address !== null) return address;
    throw new PresageError('not_listening', 'The gateway has no address before it has started.');
  }

  return {
    name: 'gateway',
    server: app.server,
    sessions,
    routes,
    get address() {
      return addressNow();
    },
    signInLink: () => linkOf(links.make()),
    publish: live.publish,
    endLiveStreams,
    health: () => health,
    start: async () => {
      try {
        await app.listen({ host: deps.host, port: deps.port });
      } catch (error) {
        throw listenError(error, deps.host, deps.port);
      }
      address = addressOf(deps.host, portOf(app.server.address()) ?? deps.port);
      startedAt = clock.now();
      health = { state: 'ok' };
      logger.info({ address }, 'The gateway listens');
    },
    stop: async () => {
      isStopping = true;
      health = { state: 'down', why: 'stopped' };
      endLiveStreams();
      await live.stop();
      await close(limits.drainMs);
    },
  };
}

/** Collects routes as they are registered, and makes sure that each says who may use it. */
function listRoutes(app: App): RouteInfo[] {
  const routes: RouteInfo[] = [];
  const undeclared = new Set<string>();
  app.addHook('onRoute', (route) => {
    const methods = Array.isArray(route.method) ? route.method : [route.method];
    for (const method of methods) routes.push({ method, url: route.url });
    // Scopes that serve files declare access in a hook of their own, which runs after this one.
    queueMicrotask(() => {
      if (route.config?.access === undefined && route.method !== 'OPTIONS') {
        undeclared.add(`${String(route.method)} ${route.url}`);
      }
    });
  });
  app.addHook('onReady', async () => {
    if (undeclared.size === 0) return;
    throw new PresageError(
      'route_without_access',
      `Routes that do not say who may use them: ${[...undeclared].join(', ')}.`,
    );
  });
  return routes;
}

const portOf = (bound: AddressInfo | string | null): number | undefined =>
  typeof bound === 'object' ? bound?.port : undefined;

/** Where a browser on this machine finds it. */
function addressOf(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://127.0.0.1:${port}`;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function listenError(error: unknown, host: string, port: number): unknown {
  const { code } = error as { code?: string };
  switch (code) {
    case 'EADDRINUSE':
      return new PresageError(
        'port_taken',
        `Port ${port} on ${host} is taken by another program: stop it, or choose another with --port.`,
        { cause: error },
      );
    case 'EACCES':
      return new PresageError(
        'port_forbidden',
        `This user may not listen on port ${port}: choose one above 1023 with --port.`,
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new PresageError('host_unknown', `This machine has no address ${host} to listen on.`, {
        cause: error,
      });
    default:
      return new PresageError(
        'listen_failed',
        `The gateway can't listen on ${host}:${port}: ${messageOf(error)}.`,
        { cause: error },
      );
  }
}
