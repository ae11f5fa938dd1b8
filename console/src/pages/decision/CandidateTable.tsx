import type { DecisionRecord } from '../../../../schemas/index.ts';
import { Empty, Panel } from '../../components/index.ts';
import { CandidateRow } from './CandidateRow.tsx';
import { inOrder, stages } from './verdict.ts';

interface CandidateTableProps {
  readonly decision: DecisionRecord;
  readonly currency: string | null;
}

/** Why and why not: every candidate through the stages, with its verdict. */
export function CandidateTable({ decision, currency }: CandidateTableProps) {
  const candidates = inOrder(decision.candidates);
  const highest = Math.max(0, ...candidates.map(({ score }) => score?.priority ?? 0));
  return (
    <Panel
      title="Why, and why not"
      note={stages.map(({ stage }) => stage).join(' → ')}
      className="panel-candidates"
    >
      {candidates.length === 0 ? (
        <Empty title="No candidates">No action of the workspace names this placement.</Empty>
      ) : (
        <table className="table table-candidates">
          <thead>
            <tr>
              <th scope="col" className="number">
                Rank
              </th>
              <th scope="col">Action</th>
              <th scope="col">Stages</th>
              <th scope="col">Verdict</th>
              <th scope="col">Priority = P × C × V × L</th>
            </tr>
          </thead>
          <tbody>
            {candidates.map((candidate) => (
              <CandidateRow
                key={candidate.action}
                candidate={candidate}
                decision={decision}
                highest={highest}
                currency={currency}
              />
            ))}
          </tbody>
        </table>
      )}
      <p className="legend">
        <span>
          <i className="pip pip-passed" aria-hidden="true" /> nothing stopped it there
        </span>
        <span>
          <i className="pip pip-out" aria-hidden="true" /> out there
        </span>
        <span>
          <i className="pip pip-unreached" aria-hidden="true" /> did not get there
        </span>
        <span>P acceptance probability</span>
        <span>C context weight</span>
        <span>V value{currency === null ? '' : ` in ${currency}`}</span>
        <span>L lever</span>
      </p>
    </Panel>
  );
}
