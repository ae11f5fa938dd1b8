import { type Clock, PresageError } from '../../core/index.ts';
import {
  errorAnswer,
  type IngestAnswer,
  ingestAnswer,
  type OutcomeReport,
  outcomesBody,
  type Rejection,
} from '../../schemas/index.ts';
import { offersOf } from '../../sinks/clickhouse/index.ts';
import { recordOf } from '../../sinks/socketio/events.ts';
import type { NewRecord } from '../../stream/log/port.ts';
import { principalOf, tenantOf } from '../auth/principal.ts';
import type { GatewayDeps } from '../deps.ts';
import type { App } from '../http/app.ts';
import { toHttpError } from '../http/errors.ts';
import { append } from '../ingest/accept.ts';
import { skewOf } from '../ingest/skew.ts';
import { readTime } from '../ingest/time.ts';
import { limits } from '../limits.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Receipt, Receipts } from '../outcomes/receipts.ts';
import { eventsOf } from '../outcomes/report.ts';

export interface OutcomesRouteParts extends Pick<GatewayDeps, 'log' | 'workspace' | 'warehouse' | 'newId'> {
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
  readonly receipts: Receipts;
}

/**
 * POST /v1/outcomes: what came of decisions that were asked for. Answers when the log has it; sent again, it is the same.
 */
export function outcomesRoute(app: App, parts: OutcomesRouteParts): void {
  app.post(
    '/v1/outcomes',
    {
      config: { access: { kind: 'key', scope: 'write', keyInBody: true }, crossOrigin: true },
      bodyLimit: limits.batchBytes,
      schema: {
        tags: ['decide'],
        summary: 'Report what came of decisions: shown, accepted, dismissed, expired, ignored, converted',
        description:
          'With the receipt that the answer of /v1/decide had; with a secret key by the id of the decision, too. 200 if at least one report was kept (`rejected` lists the others).',
        body: outcomesBody,
        response: { 200: ingestAnswer, '4xx': errorAnswer, 503: errorAnswer },
      },
    },
    async (request): Promise<IngestAnswer> => {
      const { body } = request;
      const receivedAt = parts.clock.now();
      const tenant = tenantOf(request, parts.workspace.tenants);
      const principal = principalOf(request);
      const isPublic = principal.kind === 'key' && principal.key.kind === 'public';
      const reports = 'batch' in body ? body.batch : [body];
      const byId = isPublic ? new Map<string, Receipt>() : await receiptsById(tenant, reports);

      const records: NewRecord[] = [];
      const rejected: Rejection[] = [];
      let kept = 0;
      let firstError: unknown = null;
      for (const [index, report] of reports.entries()) {
        try {
          const receipt = receiptOf(tenant, report, byId, isPublic);
          const time = timeOf(report, body.sentAt, receivedAt);
          const events = eventsOf({ tenant, receipt, report, time, receivedAt });
          records.push(...events.map((event) => recordOf(event, parts.log.partitions)));
          kept++;
        } catch (error) {
          const { code, message } = toHttpError(error);
          if (code === 'internal') throw error;
          firstError ??= error;
          rejected.push({ index, code, message });
        }
      }
      await append(parts, records);
      for (const { code } of rejected) parts.metrics.rejected.inc({ code });
      if (kept === 0) {
        if (reports.length === 1) throw firstError;
        throw new PresageError(
          'nothing_kept',
          `None of the ${reports.length} reports could be kept: ${rejected[0]?.message}`,
          { details: { rejected } },
        );
      }
      parts.metrics.accepted.inc({ source: 'api' }, kept);
      return { success: true, accepted: kept, rejected };
    },
  );

  /** What ClickHouse knows of decisions that are named by their id. */
  async function receiptsById(
    tenant: string,
    reports: readonly OutcomeReport[],
  ): Promise<ReadonlyMap<string, Receipt>> {
    const ids = new Set(
      reports.flatMap(({ receipt, decision }) =>
        receipt === undefined && decision !== undefined ? [decision] : [],
      ),
    );
    if (ids.size === 0) return new Map();
    if (parts.warehouse === null)
      throw new PresageError(
        'no_warehouse',
        'This instance runs without ClickHouse, where decisions are kept: send receipts.',
      );
    const offers = await offersOf(parts.warehouse, tenant, [...ids]);
    return new Map(offers.map((offer) => [offer.decision, offer]));
  }

  function receiptOf(
    tenant: string,
    { receipt, decision }: OutcomeReport,
    byId: ReadonlyMap<string, Receipt>,
    isPublic: boolean,
  ): Receipt {
    if (receipt !== undefined) return parts.receipts.read(tenant, receipt);
    if (decision === undefined)
      throw new PresageError('missing_receipt', 'Send receipt, as the answer of /v1/decide had it.');
    if (isPublic)
      throw new PresageError(
        'missing_receipt',
        'With a public key send the receipt of the answer: an id alone does not say that it was yours.',
      );
    const found = byId.get(decision);
    if (found !== undefined) return found;
    throw new PresageError(
      'unknown_decision',
      `There is no decision "${decision}" that was to be shown; one just made is known a second or two later.`,
    );
  }
}

function timeOf({ timestamp }: OutcomeReport, sentAt: unknown, receivedAt: number): number {
  const time = readTime(timestamp, receivedAt, skewOf(sentAt, receivedAt));
  if (!time.ok) throw new PresageError(time.reason.code, time.reason.message);
  return time.value;
}
