import type { DecisionList } from '../../../../schemas/index.ts';
import { Id, ModeTag, OutcomeTag, SimulatedTag, Time } from '../../components/index.ts';
import { formatCount, formatPercent, nothing } from '../../format/index.ts';
import { Link, paths } from '../../router.tsx';

type Row = DecisionList['decisions'][number];

interface DecisionTableProps {
  readonly decisions: readonly Row[];
  readonly hasTenants: boolean;
  /** On a subject's page: without what is the same in every row, and without what the decision's own page says. */
  readonly isCompact?: boolean;
}

/** A table where there is room, cards where there is not: the same markup, laid out by the style sheet. */
export function DecisionTable({ decisions, hasTenants, isCompact = false }: DecisionTableProps) {
  return (
    <table className="table table-decisions">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Chosen action</th>
          <th scope="col">Placement</th>
          {!isCompact && <th scope="col">Subject</th>}
          {hasTenants && <th scope="col">Tenant</th>}
          <th scope="col" className="number">
            P
          </th>
          {!isCompact && (
            <>
              <th scope="col" className="number">
                Candidates
              </th>
              <th scope="col">Scored by</th>
            </>
          )}
          <th scope="col">Mode</th>
          <th scope="col">Outcome</th>
        </tr>
      </thead>
      <tbody>
        {decisions.map((row) => (
          <tr key={row.id}>
            <td className="cell-time">
              <Time at={row.at} />
            </td>
            <td className="cell-action">
              <Link
                to={paths.decision(row.id)}
                title={row.id}
                className={row.action === null ? 'is-nothing' : ''}
              >
                {row.action ?? 'nothing offered'}
              </Link>{' '}
              {row.simulated && !isCompact && <SimulatedTag isShort />}
            </td>
            <td data-label="Placement" className="cell-wide">
              {row.placement}
            </td>
            {!isCompact && (
              <td data-label="Subject">
                <Id id={row.subject} to={paths.subject(row.subject, row.tenant)} />
              </td>
            )}
            {hasTenants && (
              <td data-label="Tenant" className="cell-wide">
                {row.tenant}
              </td>
            )}
            <td data-label="P" className="number">
              {row.acceptProbability === null ? nothing : formatPercent(row.acceptProbability)}
            </td>
            {!isCompact && (
              <>
                <td data-label="Candidates" className="number">
                  {formatCount(row.candidates)}
                </td>
                <td data-label="Scored by">{row.rung}</td>
              </>
            )}
            <td data-label="Mode">{isUneventful(row) ? nothing : <ModeTag mode={row.mode} />}</td>
            <td data-label="Outcome">
              {row.outcome === null ? nothing : <OutcomeTag outcome={row.outcome} />}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Nothing was offered and nothing kept it from being delivered: its mode says nothing. */
const isUneventful = (row: Row): boolean => row.action === null && row.mode === 'act';
