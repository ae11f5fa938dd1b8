import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { messageOf, PresageError } from '../../../core/index.ts';
import { byAge } from './memory.ts';
import type { ClaimResult, Inbox, InboxAddress, PendingOffer, PushedOffer } from './port.ts';
import { inboxLimits } from './port.ts';
import { claimScript, putScript, settleScript } from './scripts.ts';

/**
 * Inboxes in Redis: two hashes a subject, `{<log>:<partition>}:inbox:<tenant>:<subject>` and `...:pushed:...`, that
 * expire by themselves. `log` is the log's name and version, as in every other key of the partition.
 */
export function redisInbox(redis: Redis | Cluster, log = 'events.v1'): Inbox {
  const inboxKey = (at: InboxAddress) => `{${log}:${at.partition}}:inbox:${at.tenant}:${at.subject}`;
  const pushedKey = (at: InboxAddress) => `{${log}:${at.partition}}:pushed:${at.tenant}:${at.subject}`;
  const put = script(redis, putScript);
  const claim = script(redis, claimScript);
  const settle = script(redis, settleScript);

  return {
    async put(address, offer, now) {
      const { action, placement, decidedAt, expiresAt } = offer;
      const pushed: PushedOffer = { action, placement, decidedAt, expiresAt };
      const [isPending, dropped] = (await put(
        [inboxKey(address), pushedKey(address)],
        [
          offer.decision,
          JSON.stringify(offer),
          JSON.stringify(pushed),
          expiresAt,
          now,
          inboxLimits.pending,
          inboxLimits.pushed,
          inboxLimits.keepMs,
        ],
      )) as [number, number];
      return { isPending: isPending === 1, dropped };
    },
    async pending(address, now) {
      const stored = await orUnavailable(() => redis.hvals(inboxKey(address)));
      return stored
        .map((json) => JSON.parse(json) as PendingOffer)
        .filter((offer) => offer.expiresAt > now)
        .sort((left, right) => byAge([left.decision, left], [right.decision, right]));
    },
    async find(address, decision, now) {
      const stored = await orUnavailable(() => redis.hget(pushedKey(address), decision));
      if (stored === null) return null;
      const offer = JSON.parse(stored) as PushedOffer;
      return offer.expiresAt + inboxLimits.keepMs > now ? offer : null;
    },
    async claim(address, decision, claimant, now) {
      return (await claim(
        [pushedKey(address)],
        [decision, claimant, now, inboxLimits.keepMs],
      )) as ClaimResult;
    },
    async settle(address, decision) {
      await settle([inboxKey(address)], [decision]);
    },
  };
}

type Call = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/** Sends the script's hash, and its text only where this server has not seen it yet. */
function script(redis: Redis | Cluster, text: string): Call {
  const sha1 = createHash('sha1').update(text).digest('hex');
  return (keys, args) =>
    orUnavailable(async () => {
      try {
        return await redis.evalsha(sha1, keys.length, ...keys, ...args);
      } catch (error) {
        if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
        return await redis.eval(text, keys.length, ...keys, ...args);
      }
    });
}

async function orUnavailable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new PresageError(
      'inbox_unavailable',
      `The inbox of offers in Redis did not answer: ${messageOf(error)}. Check that Redis is running; the call can be repeated.`,
      { retriable: true, cause: error },
    );
  }
}
