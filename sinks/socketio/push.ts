import type { Server as HttpServer } from 'node:http';
import type { Registry } from 'prom-client';
import {
  asSubjectId,
  type Clock,
  type Gate,
  type Health,
  type Logger,
  messageOf,
  type Role,
} from '../../core/index.ts';
import { type Follower, followOutbox, type OutboxSource } from '../../stream/follow.ts';
import { linkIn } from '../../stream/identity/index.ts';
import type { EventLog } from '../../stream/log/port.ts';
import { readOutboxEntry } from '../../stream/outbox.ts';
import type { StoredOutboxEntry } from '../../stream/state/port.ts';
import { acceptConnections, type Connections } from './connections.ts';
import { recordOf, sessionEvent } from './events.ts';
import { type Authenticate, addressOf, type FindLink, type Identity } from './identity.ts';
import type { Inbox, PendingOffer } from './inbox/index.ts';
import { defaultLimits, type PushLimits } from './limits.ts';
import { pushMetrics } from './metrics.ts';
import { offerOf, wireOf } from './offer.ts';
import { makeReports } from './reports.ts';

/** An offer was handed to at least one live socket. */
export interface Pushed {
  /** Unix ms. */
  readonly at: number;
  readonly tenant: string;
  readonly subject: string;
  readonly decision: string;
  readonly action: string;
  readonly simulated: boolean;
  /** From the append of the event that started the decision. */
  readonly latencyMs: number;
}

export interface PushDeps {
  /** Socket.IO attaches to it at /push; its other requests are left alone. Fastify's must be set up before `start()`. */
  readonly server: HttpServer;
  readonly store: OutboxSource;
  readonly log: Pick<EventLog, 'partitions' | 'append'>;
  readonly inbox: Inbox;
  readonly authenticate: Authenticate;
  /** Default: nobody has become anybody. */
  readonly findLink?: FindLink;
  /** Whether the tenant's stop switch is on, now. */
  readonly isStopped: (tenant: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly onPushed?: (pushed: Pushed) => void;
  /** Name of this reader's position; each push process needs its own. Default `push`. */
  readonly reader?: string;
  readonly limits?: Partial<PushLimits>;
  /** Passed by everything that browsers lead to (core/gate.ts). Default: always open. */
  readonly gate?: Pick<Gate, 'within'>;
}

export interface Push extends Role {
  /** Reads no more decisions; connections stay. Resolves when positions are saved. */
  pause(): Promise<void>;
  /** Reads them again, of the partitions that there are now. */
  resume(): void;
}

interface Addressed {
  readonly tenant: string;
  readonly subject: string;
  readonly receivedAt: number;
  readonly offer: PendingOffer;
}

/**
 * Push: reads decisions from the outbox, keeps their offers in the subject's inbox and hands them to live sockets;
 * takes back what browsers report as events in the log. An offer is in the inbox before the position moves past it, so
 * a restart delivers it again rather than never.
 */
export function makePush(deps: PushDeps): Push {
  const { store, log, inbox, isStopped, clock, registry } = deps;
  const logger = deps.logger.child({ role: 'push' });
  const limits = { ...defaultLimits, ...deps.limits };
  const metrics = pushMetrics(registry);
  const gate = deps.gate ?? { within: (work) => work() };
  const sessionEvents = new Set<Promise<void>>();
  let connections: Connections | null = null;
  let followers: readonly Follower[] = [];

  const onSession = (who: Identity, socket: string, state: 'connected' | 'disconnected'): void => {
    if (sessionEvents.size >= limits.sessionEvents) {
      metrics.sessionEvents.inc({ result: 'left_out' });
      return;
    }
    const event = sessionEvent(who, socket, state, clock.now());
    const appended = gate
      .within(() => log.append([recordOf(event, log.partitions)]))
      .then(
        () => metrics.sessionEvents.inc({ result: 'appended' }),
        (error: unknown) => {
          metrics.sessionEvents.inc({ result: 'failed' });
          logger.warn({ tenant: who.tenant, state, error: messageOf(error) }, 'A session event was lost.');
        },
      )
      .finally(() => sessionEvents.delete(appended));
    sessionEvents.add(appended);
  };

  const offersIn = (entries: readonly StoredOutboxEntry[], now: number): Addressed[] => {
    const offers: Addressed[] = [];
    for (const entry of entries) {
      if (entry.kind !== 'decision') continue;
      const read = readDecision(entry);
      const offer = read === null ? 'unreadable' : offerOf(read, now, isStopped);
      if (typeof offer === 'string') metrics.offers.inc({ result: offer });
      else if (read !== null)
        offers.push({
          tenant: read.tenant,
          subject: read.subject,
          // A person's time is not ours.
          receivedAt: read.review?.released?.at ?? read.timings.receivedAt,
          offer,
        });
    }
    return offers;
  };

  const readDecision = (entry: StoredOutboxEntry) => {
    try {
      const read = readOutboxEntry(entry);
      return read.kind === 'decision' ? read.decision : null;
    } catch (error) {
      logger.error({ offset: entry.offset, error: messageOf(error) }, 'An outbox entry cannot be read.');
      return null;
    }
  };

  const handle = async (entries: readonly StoredOutboxEntry[]): Promise<void> => {
    for (const entry of entries) {
      const link = linkIn(entry);
      if (link !== null) connections?.link(link, link.isVouched ? link.user : null);
    }
    const offers = offersIn(entries, clock.now());
    const put = await Promise.all(
      offers.map(({ tenant, subject, offer }) =>
        inbox.put(addressOf({ tenant, subject: asSubjectId(subject) }, log.partitions), offer, clock.now()),
      ),
    );
    offers.forEach((addressed, index) => {
      metrics.dropped.inc(put[index]?.dropped ?? 0);
      metrics.offers.inc({ result: put[index]?.isPending ? handOver(addressed) : 'settled' });
    });
  };

  const handOver = ({ tenant, subject, receivedAt, offer }: Addressed): 'pushed' | 'waiting' | 'expired' => {
    const at = clock.now();
    if (offer.expiresAt <= at) return 'expired';
    const sockets = connections?.offer({ tenant, subject }, wireOf(offer, at)) ?? 0;
    if (sockets === 0) return 'waiting';
    const latencyMs = clock.now() - receivedAt;
    metrics.latency.observe(latencyMs / 1000);
    const { decision, action, simulated } = offer;
    logger.debug({ tenant, decision, action, sockets, latencyMs }, 'An offer was handed over.');
    deps.onPushed?.({ at, tenant, subject, decision, action, simulated, latencyMs });
    return 'pushed';
  };

  const waiting = (who: Identity) =>
    gate.within(async () => {
      if (isStopped(who.tenant)) return [];
      const now = clock.now();
      return (await inbox.pending(addressOf(who, log.partitions), now)).map((offer) => wireOf(offer, now));
    });

  function follow(): void {
    followers = Array.from({ length: log.partitions }, (_, partition) =>
      followOutbox({
        partition,
        store,
        reader: deps.reader ?? 'push',
        clock,
        logger,
        handle,
        onLost: () => metrics.outboxLost.inc(),
      }),
    );
  }

  async function unfollow(): Promise<void> {
    await Promise.all(followers.map((follower) => follower.stop()));
  }

  return {
    name: 'push',
    async start() {
      const reports = makeReports({ inbox, log, isStopped, clock, logger, gate });
      const { server, authenticate } = deps;
      connections = acceptConnections({
        server,
        authenticate,
        reports,
        waiting,
        findLink: (who) => gate.within(async () => (await deps.findLink?.(who)) ?? null),
        onSession,
        limits,
        metrics,
        clock,
        logger,
      });
      follow();
    },
    async pause() {
      await unfollow();
      followers = [];
    },
    resume: follow,
    async stop() {
      await unfollow();
      await connections?.close();
      await Promise.all(sessionEvents);
      connections = null;
      followers = [];
    },
    health: (): Health => {
      if (connections === null) return { state: 'down', why: 'push is not running' };
      for (const follower of followers) {
        const why = follower.trouble();
        if (why !== null) return { state: 'degraded', why };
      }
      return followers.every((follower) => follower.hasBegun())
        ? { state: 'ok' }
        : { state: 'starting', why: 'reading the outbox positions' };
    },
  };
}
