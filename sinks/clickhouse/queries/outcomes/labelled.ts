import { PresageError } from '../../../../core/index.ts';
import type { DecisionRecord } from '../../../../schemas/index.ts';
import type { CompiledOutcomes } from '../../../../workspace/index.ts';
import type { Warehouse } from '../../port.ts';
import { amountOf } from './amount.ts';
import { labelsSql, type ResponseName } from './labels.ts';
import { metricNames, type OutcomeScope, scaleOf, scopeParameters } from './scope.ts';

/** What is known, as of the time asked, of one decision that was shown. */
export interface LabelledDecision {
  /** The whole record: `features` as of the decision, `context`, `action`, `choicePropensity`, `policy`, `rung`... */
  readonly decision: DecisionRecord;
  /** Unix ms. */
  readonly shownAt: number;
  readonly response: ResponseName;
  /** 1: success. 0: none within the time-out. null: the time-out has not passed. */
  readonly label: 0 | 1 | null;
  /** The attribution window has passed: labels of younger decisions lean towards quick successes. */
  readonly mature: boolean;
  /** Unix ms of the first success. */
  readonly succeededAt: number | null;
  /** Successes, each once, and what they are worth together, as an exact decimal. */
  readonly successes: number;
  readonly value: string;
}

export interface LabelledQuestion extends OutcomeScope {
  /** `accepted`, `converted`, or a metric of the workspace. */
  readonly metric: string;
  readonly placement?: string | undefined;
  /** Only those whose window has passed. */
  readonly matureOnly?: boolean | undefined;
  /** Labels asked for at a time, each time attributed anew. Default and at most 50,000. */
  readonly page?: number | undefined;
}

interface LabelledRow {
  readonly id: string;
  readonly decided_ms: string | number;
  readonly shown_at: string | number;
  readonly response: ResponseName;
  readonly label: 0 | 1 | null;
  readonly mature: boolean;
  readonly first: string | number | null;
  readonly events: string | number;
  readonly amount: string | number;
}

/** About 7 MB. */
const mostLabels = 50_000;
/** A record can have tens of kilobytes. */
const recordsAtOnce = 500;

/**
 * Decisions that were shown with the label of one metric, oldest first. What was never shown has no label and is not
 * among them. Throws PresageError `unknown_metric`, `metric_not_in_sql` and what `warehouse.rows` throws.
 */
export async function* labelledDecisions(
  warehouse: Pick<Warehouse, 'rows'>,
  outcomes: CompiledOutcomes,
  question: LabelledQuestion,
): AsyncGenerator<LabelledDecision> {
  const { metric, placement, matureOnly = false } = question;
  checkMetric(outcomes, metric);
  const limit = Math.min(question.page ?? mostLabels, mostLabels);
  const scale = scaleOf(outcomes, metric);
  let after: readonly [decided: number, id: string] = [-1, ''];
  for (;;) {
    const rows = await warehouse.rows<LabelledRow>(
      `WITH ${labelsSql(outcomes, question, {
        metrics: [metric],
        columns: ['toUnixTimestamp64Milli(decided) AS decided_ms'],
        where: `${placement === undefined ? 'true' : 'placement = {placement:String}'}
            AND (decided_ms, id) > ({after_time:Int64}, {after_id:String})`,
      })}
SELECT id, decided_ms, shown_at, response, label, mature, labels.first AS first, labels.events AS events,
    toString(labels.amount) AS amount
FROM labels WHERE is_shown ${matureOnly ? 'AND mature' : ''} ORDER BY decided_ms, id LIMIT {limit:UInt32}`,
      {
        ...scopeParameters(question),
        ...(placement === undefined ? {} : { placement }),
        after_time: after[0],
        after_id: after[1],
        limit,
      },
    );
    for (let at = 0; at < rows.length; at += recordsAtOnce) {
      const some = rows.slice(at, at + recordsAtOnce);
      const records = await recordsOf(warehouse, some);
      for (const row of some) {
        const decision = records.get(row.id);
        if (decision === undefined) continue;
        yield {
          decision,
          shownAt: Number(row.shown_at),
          response: row.response,
          label: row.label === null ? null : row.label,
          mature: Boolean(row.mature),
          succeededAt: row.first === null ? null : Number(row.first),
          successes: Number(row.events),
          value: amountOf(row.amount, scale),
        };
      }
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) return;
    after = [Number(last.decided_ms), last.id];
  }
}

async function recordsOf(
  warehouse: Pick<Warehouse, 'rows'>,
  rows: readonly LabelledRow[],
): Promise<ReadonlyMap<string, DecisionRecord>> {
  if (rows.length === 0) return new Map();
  const found = await warehouse.rows<{ id: string; record: string }>(
    'SELECT id, record FROM decisions WHERE id IN {ids:Array(String)}',
    { ids: rows.map(({ id }) => id) },
  );
  return new Map(found.map(({ id, record }) => [id, JSON.parse(record) as DecisionRecord]));
}

/** Throws PresageError `unknown_metric`. */
export function checkMetric(outcomes: CompiledOutcomes, metric: string): void {
  const known = metricNames(outcomes);
  if (known.includes(metric)) return;
  throw new PresageError(
    'unknown_metric',
    `There is no metric "${metric.slice(0, 64)}"; there is ${known.join(', ')}.`,
  );
}
