import type { Registry } from 'prom-client';
import { type Clock, type Gate, type Health, type Logger, messageOf, type Role } from '../../core/index.ts';
import type { DecisionRecord } from '../../schemas/index.ts';
import { type Follower, followOutbox, type OutboxSource } from '../../stream/follow.ts';
import type { EventLog } from '../../stream/log/port.ts';
import { readOutboxEntry } from '../../stream/outbox.ts';
import type { StoredOutboxEntry } from '../../stream/state/port.ts';
import { type ConnectJobs, type Deadlines, makeDeadlines } from '../deadlines.ts';
import { type DeskParts, makeDesk, type ReviewDesk } from './desk.ts';
import { reviewMetrics } from './metrics.ts';
import type { Claim, ReviewItem, ReviewStore } from './port.ts';
import { makePublisher } from './publish.ts';

/** Name of the review queue's position in the outbox. */
export const reviewReader = 'review';

export interface ReviewParts {
  readonly store: ReviewStore;
  readonly connect: ConnectJobs;
  readonly outbox: OutboxSource;
  readonly log: Pick<EventLog, 'partitions' | 'append'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Passed by what is appended (core/gate.ts). Default: always open. */
  readonly gate?: Pick<Gate, 'within'>;
  /** How often verdicts that the log did not take are tried again. */
  readonly retryMs?: number;
}

export interface Reviews extends Role {
  readonly desk: ReviewDesk;
}

/** Verdicts looked at in one round; the rest waits for the next. */
const mostAtOnce = 100;

/**
 * The review role: takes decisions that a person is to look at out of the outbox into the queue, keeps their deadlines,
 * and appends verdicts to the log. The position in the outbox moves after queue and deadline have an item, and an item is
 * taken once by its decision's id; a verdict stands before it is published, and is published until the log has it.
 */
export function makeReviews(parts: ReviewParts): Reviews {
  const { store, outbox, log, clock } = parts;
  const logger = parts.logger.child({ role: 'review' });
  const gate = parts.gate ?? { within: (work) => work() };
  const metrics = reviewMetrics(parts.registry);
  let deadlines: Deadlines | null = null;
  const publish = makePublisher(store, log);
  /** Not while partitions become others: the subject's would not be where it is looked for. */
  const publishInTurn = (id: string): Promise<void> => publish(id, (work) => gate.within(work));
  const deskParts: DeskParts = {
    store,
    clock,
    // What comes through the gateway has passed the gate.
    publish: (id) => publish(id),
    onVerdict: ({ summary }, { verdict, at }) => {
      metrics.verdicts.inc({ verdict, reason: summary.reason });
      metrics.waited.observe(Math.max(0, at - summary.decidedAt) / 1_000);
      // Left where it is, it would find a verdict and go: nothing depends on this.
      deadlines?.drop(summary.id).catch(() => {});
    },
  };
  let followers: readonly Follower[] = [];
  let timer: NodeJS.Timeout | null = null;
  let round: Promise<void> = Promise.resolve();
  let trouble: string | null = null;

  /** An item's time has come: it is escalated first, and then it is over. */
  async function due(id: string): Promise<number | null> {
    const item = await store.find(id);
    if (item === null || item.claim !== null) return null;
    const { summary } = item;
    const now = clock.now();
    if (now < summary.escalatesAt) return summary.escalatesAt;
    if (now < summary.expiresAt) {
      if (await store.escalate(id, now)) {
        metrics.escalated.inc();
        logger.warn(
          { tenant: summary.tenant, decision: id, action: summary.action, expiresAt: summary.expiresAt },
          'A decision has waited long for its review.',
        );
      }
      return summary.expiresAt;
    }
    const claim: Claim = {
      verdict: 'expired',
      by: 'deadline',
      reviewer: null,
      note: null,
      at: now,
      content: null,
    };
    const { kind } = await store.claim(id, claim);
    if (kind === 'early') return summary.expiresAt;
    if (kind !== 'won') return null;
    metrics.verdicts.inc({ verdict: 'expired', reason: summary.reason });
    // What the log does not take now is tried again with the others.
    await publishInTurn(id).catch(() => {});
    return null;
  }

  async function handle(entries: readonly StoredOutboxEntry[]): Promise<void> {
    for (const entry of entries) {
      const item = itemIn(entry);
      if (item === null) continue;
      const { summary } = item;
      const result = await store.put(item, clock.now());
      metrics.items.inc({ result });
      // Set again for one that waits already: the program may have ended between the two.
      if (result === 'queued' || result === 'waiting') await deadlines?.set(summary.id, summary.escalatesAt);
      if (result === 'full')
        logger.error(
          { tenant: summary.tenant, decision: summary.id, action: summary.action },
          'The review queue is full: the decision is not reviewed, and not executed.',
        );
    }
  }

  function itemIn(entry: StoredOutboxEntry): ReviewItem | null {
    if (entry.kind !== 'decision') return null;
    try {
      const read = readOutboxEntry(entry);
      return read.kind === 'decision' ? reviewItemOf(read.decision) : null;
    } catch (error) {
      logger.error({ offset: entry.offset, error: messageOf(error) }, 'An outbox entry cannot be read.');
      return null;
    }
  }

  async function publishAll(): Promise<void> {
    try {
      const ids = await store.unpublished(mostAtOnce);
      metrics.unpublished.set(ids.length);
      metrics.waiting.set(await store.count(null));
      for (const id of ids) await publishInTurn(id);
      trouble = null;
    } catch (error) {
      trouble = messageOf(error);
      logger.warn({ error: trouble }, 'Verdicts of reviews wait for queue or log.');
    }
  }

  function schedule(): void {
    timer = setTimeout(() => {
      round = publishAll().then(() => {
        if (timer !== null) schedule();
      });
    }, parts.retryMs ?? 1_000);
  }

  return {
    name: 'review',
    desk: makeDesk(deskParts),
    async start() {
      deadlines = makeDeadlines({
        name: 'review',
        connect: parts.connect,
        now: () => clock.now(),
        logger,
        due,
      });
      deadlines.start();
      followers = Array.from({ length: log.partitions }, (_, partition) =>
        followOutbox({
          partition,
          store: outbox,
          reader: reviewReader,
          clock,
          logger,
          handle,
          onLost: () => metrics.outboxLost.inc(),
        }),
      );
      schedule();
    },
    async stop() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      await Promise.all([round, ...followers.map((follower) => follower.stop())]);
      followers = [];
      await deadlines?.stop();
      deadlines = null;
    },
    health: (): Health => {
      if (followers.length === 0) return { state: 'down', why: 'the review queue is not running' };
      if (trouble !== null) return { state: 'degraded', why: trouble };
      for (const follower of followers) {
        const why = follower.trouble();
        if (why !== null) return { state: 'degraded', why };
      }
      const jobs = deadlines?.health();
      if (jobs !== undefined && jobs.state !== 'ok') return jobs;
      return followers.every((follower) => follower.hasBegun())
        ? { state: 'ok' }
        : { state: 'starting', why: 'reading the outbox positions' };
    },
  };
}

/** A decision as an item of the queue; null: nobody is to look at it. */
export function reviewItemOf(record: DecisionRecord): ReviewItem | null {
  const { review, action, mode } = record;
  if (action === null || review === undefined || review.reason === null) return null;
  // Let go already; or nothing that anyone was to see.
  if (review.released !== undefined || (mode !== 'review' && mode !== 'act')) return null;
  return {
    record,
    summary: {
      id: record.id,
      tenant: record.tenant,
      subject: record.subject,
      placement: record.placement,
      action,
      reason: review.reason,
      confidence: review.confidence,
      threshold: review.threshold,
      decidedAt: record.timings.decidedAt,
      escalatesAt: review.escalatesAt,
      expiresAt: review.expiresAt,
      simulated: record.simulated,
    },
  };
}
