import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { messageOf, PresageError } from '../../core/index.ts';
import type { DecisionRecord, ReviewDecided, ReviewSummary } from '../../schemas/index.ts';
import {
  type Claim,
  type ClaimResult,
  type PutResult,
  type ReviewStore,
  reviewLimits,
  type StoredReview,
} from './port.ts';
import { claimScript, escalateScript, publishedScript, putScript } from './scripts.ts';

/** One hash tag: all of them change together, in a cluster too. */
const prefix = '{presage:reviews}';
const keys = {
  item: (id: string) => `${prefix}:item:${id}`,
  waiting: `${prefix}:waiting`,
  waitingOf: (tenant: string) => `${prefix}:waiting:${tenant}`,
  unpublished: `${prefix}:unpublished`,
  decided: `${prefix}:decided`,
  decidedOf: (tenant: string) => `${prefix}:decided:${tenant}`,
};

export interface ReviewStoreLimits {
  readonly waiting: number;
  readonly waitingPerTenant: number;
}

/** The queue in a Redis database of its own; see the port. */
export function redisReviewStore(redis: Redis, limits: ReviewStoreLimits = reviewLimits): ReviewStore {
  const put = script(redis, putScript);
  const claim = script(redis, claimScript);
  const escalate = script(redis, escalateScript);
  const published = script(redis, publishedScript);

  async function find(id: string): Promise<StoredReview | null> {
    return readItem(await orUnavailable(() => redis.hgetall(keys.item(id))));
  }

  return {
    find,
    async put({ summary, record }, now) {
      const { id, tenant, escalatesAt, expiresAt } = summary;
      return (await put(
        [keys.item(id), keys.waiting, keys.waitingOf(tenant)],
        [
          id,
          JSON.stringify(summary),
          recordText(record),
          escalatesAt,
          expiresAt,
          now,
          limits.waiting,
          limits.waitingPerTenant,
        ],
      )) as PutResult;
    },
    async claim(id, said): Promise<ClaimResult> {
      const item = await find(id);
      if (item === null) return { kind: 'unknown' };
      const [kind, standing] = (await claim(
        [keys.item(id), keys.waiting, keys.waitingOf(item.summary.tenant), keys.unpublished],
        [id, JSON.stringify(said), said.at, said.verdict === 'expired' ? 1 : 0],
      )) as [ClaimResult['kind'], string?];
      return kind === 'taken' ? { kind, claim: JSON.parse(standing ?? '') as Claim } : { kind };
    },
    escalate: async (id, now) => (await escalate([keys.item(id)], [now])) === 1,
    unpublished: (limit) => orUnavailable(() => redis.zrange(keys.unpublished, '0', String(limit - 1))),
    async published(id) {
      const item = await find(id);
      if (item?.claim == null) return;
      const { summary } = item;
      const listed = { ...summary, decided: decidedOf(item.claim, true) };
      await published(
        [keys.item(id), keys.unpublished, keys.decided, keys.decidedOf(summary.tenant)],
        [id, JSON.stringify(listed), reviewLimits.decided, keptFor(item.claim, summary)],
      );
    },
    async waiting(tenant, limit) {
      const ids = await orUnavailable(() =>
        redis.zrange(tenant === null ? keys.waiting : keys.waitingOf(tenant), '0', String(limit - 1)),
      );
      const fields = ['summary', 'escalated', 'claim', 'published'] as const;
      const read = await orUnavailable(() =>
        Promise.all(ids.map((id) => redis.hmget(keys.item(id), ...fields))),
      );
      return read.flatMap(([summary, escalated, said, isPublished]) => {
        const item = readItem({ summary, escalated, claim: said, published: isPublished });
        return item === null || item.claim !== null ? [] : [item];
      });
    },
    count: (tenant) =>
      orUnavailable(() => redis.zcard(tenant === null ? keys.waiting : keys.waitingOf(tenant))),
    async decided(tenant, limit) {
      const texts = await orUnavailable(() =>
        redis.lrange(tenant === null ? keys.decided : keys.decidedOf(tenant), 0, limit - 1),
      );
      return texts.map((text) => JSON.parse(text) as ReviewSummary & { decided: ReviewDecided });
    },
  };
}

/** Longer than it could be put again: by then its time is over. */
const keptFor = ({ at }: Claim, { expiresAt }: ReviewSummary): number =>
  Math.max(0, expiresAt - at) + reviewLimits.keepMs;

/** What of a verdict is shown. */
export const decidedOf = (
  { verdict, by, reviewer, note, at }: Claim,
  isPublished: boolean,
): ReviewDecided => ({ verdict, by, reviewer, note, at, isPublished });

type Field = string | null | undefined;

function readItem({
  summary,
  escalated,
  record,
  claim,
  published,
}: {
  readonly summary?: Field;
  readonly escalated?: Field;
  readonly record?: Field;
  readonly claim?: Field;
  readonly published?: Field;
}): StoredReview | null {
  if (!summary) return null;
  return {
    summary: JSON.parse(summary) as ReviewSummary,
    isEscalated: escalated === '1',
    record: record ? (JSON.parse(record) as DecisionRecord) : null,
    claim: claim ? (JSON.parse(claim) as Claim) : null,
    isPublished: published === '1',
  };
}

const leftOut = { left_out: 'The record was too large with it.' } as const;

/** Of a record that is too large, the explanation is shortened: what candidates saw, and then the features too. */
function recordText(record: DecisionRecord): string {
  const whole = JSON.stringify(record);
  if (Buffer.byteLength(whole) <= reviewLimits.recordBytes) return whole;
  const candidates = record.candidates.map((candidate) => ({
    ...candidate,
    verdict: { ...candidate.verdict, saw: leftOut },
  }));
  const shorter = JSON.stringify({ ...record, candidates });
  if (Buffer.byteLength(shorter) <= reviewLimits.recordBytes) return shorter;
  const chosen = candidates.filter(({ action }) => action === record.action);
  return JSON.stringify({ ...record, candidates: chosen, features: leftOut, context: leftOut });
}

type Call = (names: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;

/** Sends the script's hash, and its text only where this server has not seen it yet. */
function script(redis: Redis, text: string): Call {
  const sha1 = createHash('sha1').update(text).digest('hex');
  return (names, args) =>
    orUnavailable(async () => {
      try {
        return await redis.evalsha(sha1, names.length, ...names, ...args);
      } catch (error) {
        if (!messageOf(error).startsWith('NOSCRIPT')) throw error;
        return await redis.eval(text, names.length, ...names, ...args);
      }
    });
}

async function orUnavailable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new PresageError(
      'reviews_unavailable',
      `The review queue in Redis did not answer: ${messageOf(error)}. Check that Redis is running; the call can be repeated.`,
      { retriable: true, cause: error },
    );
  }
}
