import { asSubjectId, PresageError } from '../../core/index.ts';
import type { OutcomeReport, StoredEvent } from '../../schemas/index.ts';
import { exposureEvent, outcomeEvent } from '../../sinks/socketio/events.ts';
import type { Receipt } from './receipts.ts';

/** A report may be so much later than the offer's end and still be about it. */
const keepMs = 30 * 86_400_000;
/** Clocks of server and client, and the way between them. */
const graceMs = 60_000;

export interface ReportOf {
  readonly tenant: string;
  readonly receipt: Receipt;
  readonly report: OutcomeReport;
  /** When it was, Unix ms. */
  readonly time: number;
  readonly receivedAt: number;
}

/**
 * The events that a report becomes, in order. Their ids are content: a report that is sent again is the same event. Who
 * accepts or dismisses has seen it, so both say `shown` too, as the browser's client does.
 * Throws PresageError `expired`, `not_expired`, `too_late`, `no_value`.
 */
export function eventsOf({ tenant, receipt, report, time, receivedAt }: ReportOf): StoredEvent[] {
  const { decision, expiresAt } = receipt;
  const { outcome, value, id } = report;
  const who = { tenant, subject: asSubjectId(receipt.subject), session: receipt.session };
  if (receivedAt > expiresAt + keepMs)
    throw new PresageError('too_late', `The offer of ${decision} ended more than 30 days ago.`);
  if (value !== undefined && outcome !== 'converted')
    throw new PresageError('no_value', `value: only "converted" has one, "${outcome}" has none.`);
  switch (outcome) {
    case 'shown':
      if (time > expiresAt + graceMs)
        throw new PresageError('expired', `The offer of ${decision} had expired; it must not be shown.`);
      return [exposureEvent(who, decision, receipt, time)];
    case 'expired':
      if (time + graceMs < expiresAt)
        throw new PresageError(
          'not_expired',
          `The offer of ${decision} has not expired; report it when it has.`,
        );
      return [outcomeEvent(who, decision, receipt, outcome, time)];
    case 'accepted':
    case 'dismissed':
      return [
        exposureEvent(who, decision, receipt, time),
        outcomeEvent(who, decision, receipt, outcome, time),
      ];
    case 'ignored':
      return [outcomeEvent(who, decision, receipt, outcome, time)];
    case 'converted':
      return [outcomeEvent(who, decision, receipt, outcome, time, { id, value })];
  }
}
