import type { ReviewList } from '../../../../schemas/index.ts';
import { query, statusPoll, useResource, useStore } from '../../api/index.ts';
import {
  Empty,
  Failure,
  Id,
  Loading,
  Panel,
  SimulatedTag,
  Tag,
  Time,
  VerdictTag,
} from '../../components/index.ts';
import { formatCount } from '../../format/index.ts';
import { Link, paths, useSearch, useTitle } from '../../router.tsx';
import { timeLeft } from './words.ts';

/** What waits for a person, the next to be over first, and what people said last. */
export function ReviewsPage() {
  useTitle('Reviews');
  const tenant = useSearch().get('tenant');
  const status = useStore(statusPoll);
  const hasTenants = (status.data?.tenants.length ?? 0) > 1;
  const list = useResource<ReviewList>(`/api/reviews${query({ tenant })}`, () => 2_000);
  const { data, error } = list;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Reviews</h1>
        {data !== null && data.count > 0 && (
          <p className="quiet">
            {formatCount(data.count)} {data.count === 1 ? 'decision waits' : 'decisions wait'} for a person
          </p>
        )}
      </div>
      <Panel title="Waiting" note="what its gate holds back is executed only if somebody approves it">
        {error !== null ? (
          <Failure what="The review queue could not be read" error={error} onRetry={list.reload} />
        ) : data === null ? (
          <Loading lines={6} />
        ) : data.waiting.length === 0 ? (
          <Empty title="Nothing waits for you">
            What an action with a gate would do comes here when we are not sure enough that it is right.
          </Empty>
        ) : (
          <Waiting list={data} hasTenants={hasTenants} />
        )}
      </Panel>
      {data !== null && data.decided.length > 0 && (
        <Panel title="Decided" note="newest first">
          <Decided list={data} hasTenants={hasTenants} />
        </Panel>
      )}
    </div>
  );
}

interface TableProps {
  readonly list: ReviewList;
  readonly hasTenants: boolean;
}

function Waiting({ list, hasTenants }: TableProps) {
  const now = Date.now();
  return (
    <table className="table table-decisions">
      <thead>
        <tr>
          <th scope="col">Action</th>
          <th scope="col">Placement</th>
          <th scope="col">Subject</th>
          {hasTenants && <th scope="col">Tenant</th>}
          <th scope="col">Decided</th>
          <th scope="col">Time left</th>
        </tr>
      </thead>
      <tbody>
        {list.waiting.map((row) => (
          <tr key={row.id}>
            <td className="cell-action">
              <Link to={paths.review(row.id)} title={row.id}>
                {row.action}
              </Link>{' '}
              {row.reason === 'sample' && (
                <Tag title="It passed its gate and was executed; it was drawn to be looked at.">sample</Tag>
              )}{' '}
              {row.simulated && <SimulatedTag isShort />}
            </td>
            <td data-label="Placement" className="cell-wide">
              {row.placement}
            </td>
            <td data-label="Subject">
              <Id id={row.subject} to={paths.subject(row.subject, row.tenant)} />
            </td>
            {hasTenants && (
              <td data-label="Tenant" className="cell-wide">
                {row.tenant}
              </td>
            )}
            <td data-label="Decided">
              <Time at={row.decidedAt} />
            </td>
            <td data-label="Time left">
              {timeLeft(row.expiresAt, now)} {row.isEscalated && <Tag tone="red">urgent</Tag>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Decided({ list, hasTenants }: TableProps) {
  return (
    <table className="table table-decisions">
      <thead>
        <tr>
          <th scope="col">Action</th>
          <th scope="col">Verdict</th>
          <th scope="col">Subject</th>
          {hasTenants && <th scope="col">Tenant</th>}
          <th scope="col">By</th>
          <th scope="col">When</th>
        </tr>
      </thead>
      <tbody>
        {list.decided.map((row) => (
          <tr key={row.id}>
            <td className="cell-action">
              <Link to={paths.decision(row.id)} title={row.id}>
                {row.action}
              </Link>
            </td>
            <td data-label="Verdict">
              <VerdictTag verdict={row.decided.verdict} />
            </td>
            <td data-label="Subject">
              <Id id={row.subject} to={paths.subject(row.subject, row.tenant)} />
            </td>
            {hasTenants && (
              <td data-label="Tenant" className="cell-wide">
                {row.tenant}
              </td>
            )}
            <td data-label="By" className="cell-wide">
              {row.decided.reviewer ?? row.decided.by}
            </td>
            <td data-label="When">
              <Time at={row.decided.at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
