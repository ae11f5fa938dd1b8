import type { Server as HttpServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { type DefaultEventsMap, Server, type Socket } from 'socket.io';
import { type Clock, type Logger, messageOf, PresageError, type SubjectId } from '../../core/index.ts';
import { type Authenticate, type FindLink, type Identity, roomOf } from './identity.ts';
import { type PushLimits, tokenBucket, tokenBuckets } from './limits.ts';
import type { PushMetrics } from './metrics.ts';
import type { ClaimReply, Refusal, Reply, ReportName, WireOffer } from './protocol.ts';
import { type Reports, refusalOf } from './reports.ts';

type Answer<T> = (reply: T) => void;
type FromBrowser = Record<ReportName, (body: unknown, answer: Answer<Reply>) => void> & {
  claim: (body: unknown, answer: Answer<ClaimReply>) => void;
};
interface ToBrowser {
  offer: (offer: WireOffer, received: () => void) => void;
  refused: (refusal: Refusal) => void;
}
interface Speaker {
  who: Identity;
  /** The user that `who` has become. */
  also?: Identity | undefined;
}
type Wire = Server<FromBrowser, ToBrowser, DefaultEventsMap, Speaker>;
type Connection = Socket<FromBrowser, ToBrowser, DefaultEventsMap, Speaker>;

const reportNames: readonly ReportName[] = ['shown', 'accepted', 'dismissed', 'expired'];

const closeMs = 2_000;

export interface ConnectionDeps {
  readonly server: HttpServer;
  readonly authenticate: Authenticate;
  readonly reports: Reports;
  /** The visitor's waiting offers, asked for after the socket is in its room. */
  readonly waiting: (who: Identity) => Promise<WireOffer[]>;
  readonly findLink: FindLink;
  readonly onSession: (who: Identity, socket: string, state: 'connected' | 'disconnected') => void;
  readonly limits: PushLimits;
  readonly metrics: PushMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Connections {
  /** Hands an offer to all of the subject's sockets; returns how many there are. */
  offer(to: { readonly tenant: string; readonly subject: string }, offer: WireOffer): number;
  /** The anonymous subject's live sockets get the user's offers from now on; null: no user's any more. */
  link(who: { readonly tenant: string; readonly subject: string }, user: SubjectId | null): void;
  /** Closes every connection, so that browsers come back by themselves; the HTTP server stays open. */
  close(): Promise<void>;
}

/** Live sessions over Socket.IO at /push: who they are, what they may ask, and how offers reach them. */
export function acceptConnections(deps: ConnectionDeps): Connections {
  const { server, authenticate, reports, limits, metrics, clock, logger } = deps;
  const mayConnect = tokenBuckets(limits.connectionsPerSecond, limits.connectionBurst, clock);
  let isClosed = false;

  const io: Wire = new Server({
    path: '/push',
    maxHttpBufferSize: limits.messageBytes,
    // Credentials are in the handshake, never in a cookie, so another site's page gains nothing by connecting.
    cors: { origin: '*' },
    allowRequest: (request, answer) => {
      const isAllowed = !isClosed && mayConnect(request.socket.remoteAddress ?? '');
      if (!isAllowed) metrics.connections.inc({ result: isClosed ? 'closing' : 'too_many_connections' });
      answer(isAllowed ? null : 'too_many_connections', isAllowed);
    },
  });

  const admit = async (socket: Connection): Promise<void> => {
    const who = await authenticate(socket.handshake.auth);
    if (io.sockets.sockets.size >= limits.sockets)
      throw new PresageError('too_many_sockets', 'The server has all the connections it can hold.', {
        retriable: true,
      });
    if (socketsIn(io, roomOf(who)) >= limits.socketsPerSubject)
      throw new PresageError(
        'too_many_sockets',
        `This visitor has ${limits.socketsPerSubject} connections already; close a tab.`,
        { retriable: true },
      );
    socket.data.who = who;
  };

  io.use((socket, next) => {
    admit(socket).then(
      () => next(),
      (error: unknown) => {
        const { code, message, retriable } = refusalOf(error, logger);
        metrics.connections.inc({ result: code });
        next(Object.assign(new Error(message), { data: { code, message, retriable } satisfies Refusal }));
      },
    );
  });

  io.on('connection', (socket) => {
    const { who } = socket.data;
    const room = roomOf(who);
    metrics.connections.inc({ result: 'accepted' });
    metrics.sockets.inc();
    limitMessages(socket, deps);
    answerMessages(socket, reports, metrics);
    const ending = closeAtExpiry(socket, clock);
    socket.on('disconnect', () => {
      clearTimeout(ending);
      metrics.sockets.dec();
      if (socketsIn(io, room) === 0) deps.onSession(who, socket.id, 'disconnected');
    });
    // Room first, waiting offers second: one put in between is delivered twice, never lost.
    void socket.join(room);
    if (socketsIn(io, room) === 1) deps.onSession(who, socket.id, 'connected');
    redeliver(socket, who, deps);
    if (who.subject.startsWith('a:')) void followLink(socket, deps);
  });

  io.attach(server);

  return {
    offer(to, offer) {
      const room = roomOf(to);
      const sockets = socketsIn(io, room);
      if (sockets > 0)
        io.to(room)
          .timeout(limits.acknowledgeMs)
          .emit('offer', offer, (_: Error | null, received: readonly unknown[] = []) => {
            metrics.received.inc(received.length);
          });
      return sockets;
    },
    link(who, user) {
      for (const id of io.sockets.adapter.rooms.get(roomOf(who)) ?? []) {
        const socket = io.sockets.sockets.get(id);
        if (socket?.data.who.subject === who.subject) speakAlsoFor(socket, user, deps);
      }
    },
    async close() {
      isClosed = true;
      const sockets = [...io.sockets.sockets.values()];
      const gone = sockets.map((socket) => new Promise((resolve) => socket.once('disconnect', resolve)));
      // Not disconnectSockets(): told to leave, a client stays away.
      io.engine.close();
      await Promise.race([Promise.all(gone), wait(closeMs, undefined, { ref: false })]);
    },
  };
}

function speakAlsoFor(socket: Connection, user: SubjectId | null, deps: ConnectionDeps): void {
  const { who, also } = socket.data;
  if ((also?.subject ?? null) === user) return;
  if (also !== undefined) void socket.leave(roomOf(also));
  socket.data.also = user === null ? undefined : { ...who, subject: user };
  if (socket.data.also === undefined) return;
  void socket.join(roomOf(socket.data.also));
  redeliver(socket, socket.data.also, deps);
}

async function followLink(socket: Connection, deps: ConnectionDeps): Promise<void> {
  try {
    const user = await deps.findLink(socket.data.who);
    if (user !== null && socket.connected) speakAlsoFor(socket, user, deps);
  } catch (error) {
    deps.logger.warn({ error: messageOf(error) }, 'A link could not be read; the browser will reconnect.');
    socket.conn.close();
  }
}

const socketsIn = (io: Wire, room: string): number => io.sockets.adapter.rooms.get(room)?.size ?? 0;

function limitMessages(socket: Connection, { limits, clock }: ConnectionDeps): void {
  const mayAsk = tokenBucket(limits.messagesPerSecond, limits.messageBurst, clock);
  let refusals = 0;
  socket.use((packet, next) => {
    const isKnown = packet[0] === 'claim' || reportNames.includes(packet[0] as ReportName);
    if (isKnown && mayAsk()) return next();
    const answer: unknown = packet.at(-1);
    if (typeof answer === 'function')
      answer(
        isKnown
          ? {
              ok: false,
              code: 'too_many_messages',
              message: `At most ${limits.messagesPerSecond} messages a second; send it again later.`,
              retriable: true,
            }
          : {
              ok: false,
              code: 'unknown_message',
              message: `Messages are claim, ${reportNames.join(', ')}.`,
              retriable: false,
            },
      );
    refusals += 1;
    if (refusals >= limits.refusalsPerSocket) socket.disconnect(true);
  });
}

function answerMessages(socket: Connection, reports: Reports, metrics: PushMetrics): void {
  /** Offers of the user that the visitor became are asked for second: the visitor's own may still be open. */
  async function asSpeaker<T extends Reply | ClaimReply>(ask: (who: Identity) => Promise<T>): Promise<T> {
    const { who, also } = socket.data;
    const reply = await ask(who);
    return also === undefined || reply.ok || reply.code !== 'unknown_decision' ? reply : ask(also);
  }
  const count = (message: string, reply: Reply | ClaimReply) =>
    metrics.messages.inc({ message, result: reply.ok ? 'ok' : reply.code });
  for (const name of reportNames)
    socket.on(name, async (body: unknown, answer: unknown) => {
      const reply = await asSpeaker((who) => reports.report(who, name, body));
      count(name, reply);
      if (typeof answer === 'function') answer(reply);
    });
  socket.on('claim', async (body: unknown, answer: unknown) => {
    const reply = await asSpeaker((who) => reports.claim(who, body));
    count('claim', reply);
    if (typeof answer === 'function') answer(reply);
  });
}

/** setTimeout's longest delay; longer sessions end with their next connection. */
const longestTimerMs = 2 ** 31 - 1;

function closeAtExpiry(socket: Connection, clock: Clock): NodeJS.Timeout | undefined {
  const { expiresAt } = socket.data.who;
  if (expiresAt === undefined || expiresAt === null) return undefined;
  const end = () => {
    socket.emit('refused', {
      code: 'token_expired',
      message: 'The session token has ended; ask the backend for a new one.',
      retriable: false,
    });
    socket.disconnect(true);
  };
  return setTimeout(end, Math.min(longestTimerMs, Math.max(0, expiresAt - clock.now()))).unref();
}

function redeliver(
  socket: Connection,
  who: Identity,
  { waiting, limits, metrics, logger }: ConnectionDeps,
): void {
  waiting(who).then(
    (offers) => {
      for (const offer of offers) {
        metrics.redelivered.inc();
        socket.timeout(limits.acknowledgeMs).emit('offer', offer, (error: Error | null) => {
          if (error === null) metrics.received.inc();
        });
      }
    },
    (error: unknown) => {
      logger.warn(
        { error: messageOf(error) },
        'Waiting offers could not be read; the browser will reconnect.',
      );
      // Closing the transport, unlike disconnect(), makes the client come back.
      socket.conn.close();
    },
  );
}
