import { PresageError } from '../../core/index.ts';
import type { DecisionRecord, TryOut } from '../../schemas/index.ts';
import type { Warehouse } from '../../sinks/clickhouse/index.ts';
import { type CompiledWorkspace, compileCondition } from '../../workspace/index.ts';

const lastDecisions = 100;

/**
 * What a condition gives on the last 100 decisions, with the features and the context that they had; nothing is saved.
 * Throws `expression_wrong`, `no_warehouse`.
 */
export async function tryOut(
  warehouse: Pick<Warehouse, 'rows'> | null,
  workspace: CompiledWorkspace,
  text: string,
  tenant: string | null,
  placement: string | undefined,
): Promise<TryOut> {
  const compiled = compileCondition(workspace, text);
  if (!compiled.ok) {
    const [problem] = compiled.problems;
    const hint = problem?.suggestion === undefined ? '' : ` Did you mean "${problem.suggestion}"?`;
    throw new PresageError(
      'expression_wrong',
      `At character ${(problem?.offset ?? 0) + 1}: ${problem?.message}.${hint}`,
    );
  }
  if (warehouse === null)
    throw new PresageError(
      'no_warehouse',
      'This instance runs without ClickHouse, where decisions are kept.',
    );
  const given = { ...(tenant === null ? {} : { tenant }), ...(placement === undefined ? {} : { placement }) };
  const conditions = Object.keys(given).map((name) => `${name} = {${name}:String}`);
  const rows = await warehouse.rows<{ record: string }>(
    `SELECT record FROM decisions ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
    ORDER BY decided DESC LIMIT ${lastDecisions}`,
    given,
  );
  const { expression } = compiled;
  return {
    verdicts: rows.map(({ record }) => {
      const decision = JSON.parse(record) as DecisionRecord;
      const isRequest = decision.startedBy.kind === 'request';
      const scope = {
        features: decision.features,
        event: isRequest ? null : decision.context,
        action: null,
        context: isRequest ? decision.context : null,
      };
      const result = expression.evaluate(scope);
      const { id, subject, placement: where, action } = decision;
      return {
        decision: id,
        subject,
        placement: where,
        action,
        verdict:
          result.kind === 'value'
            ? result.value
            : result.kind === 'missing'
              ? `missing: ${result.name}`
              : result.message,
        saw: expression.saw(scope),
      };
    }),
  };
}
