import { io, type Socket } from 'socket.io-client';
import { messageOf, PresageError } from '../../core/index.ts';
import type { ClaimReply, Reply, WireOffer } from '../../sinks/socketio/index.ts';
import type { SeenOffer } from './module.ts';
import { pause } from './pace.ts';

export interface VisitorOptions {
  /** Where the instance is: `http://127.0.0.1:4400`. */
  readonly address: string;
  readonly key: string;
  /** Begins with `sim-`, by which everything about it can be told apart and removed. */
  readonly anonymousId: string;
  readonly signal: AbortSignal;
}

export interface Visitor {
  /** Sends one event; resolves when the server has it. */
  send(event: Readonly<Record<string, unknown>>): Promise<void>;
  /** Offers that came on the screen since the last call. */
  seen(): readonly SeenOffer[];
  answer(offer: SeenOffer, answer: 'accepted' | 'dismissed'): Promise<void>;
  leave(): void;
}

const answerMs = 5_000;
const retryMs = { first: 250, most: 5_000 };

/** A browser as the server sees one: events over HTTP with the public key, offers over Socket.IO. */
export function enter({ address, key, anonymousId, signal }: VisitorOptions): Visitor {
  const session = `${anonymousId}-session`;
  const socket: Socket = io(address, {
    path: '/push',
    auth: { key, anonymousId, session },
    transports: ['websocket'],
    forceNew: true,
  });
  let fresh: SeenOffer[] = [];
  let events = 0;

  const ask = async <T extends Reply | ClaimReply>(name: string, body: object): Promise<T | null> => {
    try {
      return (await socket.timeout(answerMs).emitWithAck(name, body)) as T;
    } catch {
      return null;
    }
  };

  socket.on('offer', async (offer: WireOffer, received: () => void) => {
    received();
    const { decision, action, placement, content } = offer;
    const claim = await ask<ClaimReply>('claim', { decision, tab: anonymousId });
    if (claim === null || !claim.ok || !claim.granted) return;
    if ((await ask('shown', { decision }))?.ok) fresh.push({ decision, action, placement, content });
  });

  const post = async (body: string): Promise<Response | null> => {
    try {
      return await fetch(`${address}/v1/batch`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        // Not AbortSignal.any with the long-lived signal: in Node 20 each such pair is kept until that one aborts.
        signal: AbortSignal.timeout(answerMs),
      });
    } catch {
      return null;
    }
  };

  return {
    async send(event) {
      const message = {
        ...event,
        messageId: `${anonymousId}-${events++}`,
        anonymousId,
        context: { sessionId: session },
      };
      const body = JSON.stringify({ writeKey: key, batch: [message] });
      for (let waitMs = retryMs.first; !signal.aborted; waitMs = Math.min(retryMs.most, waitMs * 2)) {
        const response = await post(body);
        if (response?.ok) return void (await response.arrayBuffer().catch(messageOf));
        if (response !== null && response.status < 500 && response.status !== 429)
          throw new PresageError(
            'simulation_refused',
            `${address} refused an event of a simulated visitor (${response.status}): ${(await response.text()).slice(0, 300)}`,
          );
        await pause(waitMs, signal);
      }
    },
    seen() {
      const offers = fresh;
      fresh = [];
      return offers;
    },
    async answer({ decision }, answer) {
      await ask(answer, { decision });
    },
    leave: () => void socket.disconnect(),
  };
}
