import { z } from 'zod';
import { type Clock, type Gate, type Logger, messageOf, PresageError } from '../../core/index.ts';
import type { StoredEvent } from '../../schemas/index.ts';
import type { EventLog } from '../../stream/log/port.ts';
import { exposureEvent, outcomeEvent, recordOf } from './events.ts';
import { addressOf, type Identity } from './identity.ts';
import type { Inbox, PushedOffer } from './inbox/index.ts';
import type { ClaimReply, Reply, ReportName } from './protocol.ts';

const reportBody = z.object({ decision: z.string().min(1).max(64) });
const claimBody = reportBody.extend({
  /** A random id of the tab, so that a tab whose answer got lost may ask again. */
  tab: z.string().min(1).max(64),
});

export interface Reports {
  /** What the visitor did with an offer. Answers ok only after the log has it. Never rejects. */
  report(who: Identity, name: ReportName, body: unknown): Promise<Reply>;
  /** Whether this tab may show the offer. Never rejects. */
  claim(who: Identity, body: unknown): Promise<ClaimReply>;
}

export interface ReportDeps {
  readonly inbox: Inbox;
  readonly log: Pick<EventLog, 'partitions' | 'append'>;
  readonly isStopped: (tenant: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly gate: Pick<Gate, 'within'>;
}

/** Answers browsers. A browser can only speak about offers that were pushed to its own subject. */
export function makeReports({ inbox, log, isStopped, clock, logger, gate }: ReportDeps): Reports {
  const pushed = async (who: Identity, decision: string, now: number): Promise<PushedOffer> => {
    const offer = await inbox.find(addressOf(who, log.partitions), decision, now);
    if (offer === null) throw unknownDecision(decision);
    return offer;
  };

  const accept = async (who: Identity, name: ReportName, body: unknown): Promise<Reply> => {
    const { decision } = reportBody.parse(body);
    const now = clock.now();
    const offer = await pushed(who, decision, now);
    await log.append([recordOf(eventOf(who, name, decision, offer, now), log.partitions)]);
    await inbox.settle(addressOf(who, log.partitions), decision).catch((error: unknown) => {
      // The report is safe in the log; an offer left in the inbox is recognised by the tab and expires.
      logger.warn({ decision, error: messageOf(error) }, 'A reported offer was not taken out of the inbox.');
    });
    return { ok: true };
  };

  const grant = async (who: Identity, body: unknown): Promise<ClaimReply> => {
    const { decision, tab } = claimBody.parse(body);
    const now = clock.now();
    const offer = await pushed(who, decision, now);
    if (isStopped(who.tenant)) return { ok: true, granted: false, expiresInMs: 0 };
    const claim = await inbox.claim(addressOf(who, log.partitions), decision, tab, now);
    if (claim === 'unknown') throw unknownDecision(decision);
    return { ok: true, granted: claim === 'granted', expiresInMs: Math.max(0, offer.expiresAt - now) };
  };

  return {
    report: (who, name, body) =>
      gate.within(() => accept(who, name, body)).catch((error) => refusalOf(error, logger)),
    claim: (who, body) => gate.within(() => grant(who, body)).catch((error) => refusalOf(error, logger)),
  };
}

function eventOf(
  who: Identity,
  name: ReportName,
  decision: string,
  offer: PushedOffer,
  now: number,
): StoredEvent {
  const hasExpired = offer.expiresAt <= now;
  switch (name) {
    case 'shown':
      // A report that was held up is believed if the offer was claimed in time.
      if (hasExpired && offer.claimedBy === undefined)
        throw new PresageError('expired', `Offer ${decision} expired unclaimed; it must not be shown.`);
      return exposureEvent(who, decision, offer, now);
    case 'expired':
      if (!hasExpired)
        throw new PresageError('not_expired', `Offer ${decision} has not expired; report it when it has.`);
      return outcomeEvent(who, decision, offer, 'expired', now);
    case 'accepted':
    case 'dismissed':
      return outcomeEvent(who, decision, offer, name, now);
  }
}

const unknownDecision = (decision: string): PresageError =>
  new PresageError(
    'unknown_decision',
    `No offer ${decision} was pushed to this visitor, or it is more than a day past its expiry.`,
  );

/** What a browser is told of an error: its code and sentence, never its stack. */
export function refusalOf(
  error: unknown,
  logger: Logger,
): { readonly ok: false; readonly code: string; readonly message: string; readonly retriable: boolean } {
  if (error instanceof PresageError)
    return { ok: false, code: error.code, message: error.message, retriable: error.retriable };
  if (error instanceof z.ZodError) {
    const issue = error.issues[0];
    const at = issue === undefined || issue.path.length === 0 ? 'the message' : issue.path.join('.');
    return {
      ok: false,
      code: 'bad_message',
      message: `${at}: ${issue?.message ?? 'not as expected'}.`,
      retriable: false,
    };
  }
  logger.error({ error: messageOf(error) }, 'A message from a browser could not be answered.');
  return {
    ok: false,
    code: 'internal',
    message: 'The server could not answer; try again later.',
    retriable: true,
  };
}
