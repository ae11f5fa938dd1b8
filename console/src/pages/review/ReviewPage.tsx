import type { ReviewDetail } from '../../../../schemas/index.ts';
import { statusPoll, useResource, useStore } from '../../api/index.ts';
import {
  Copy,
  Empty,
  Failure,
  Loading,
  Panel,
  SimulatedTag,
  Tag,
  Time,
  VerdictTag,
} from '../../components/index.ts';
import { Link, paths, useTitle } from '../../router.tsx';
import { CandidateTable } from '../decision/CandidateTable.tsx';
import { Inputs } from '../decision/Inputs.tsx';
import { StartedBy } from '../decision/StartedBy.tsx';
import { VerdictForm } from './VerdictForm.tsx';
import { timeLeft, whyReviewed } from './words.ts';

/** Followed as long as somebody else may say something, or the log has not taken it yet. */
const pace = (detail: ReviewDetail | null): number | null =>
  detail === null || detail.decided === null || !detail.decided.isPublished ? 2_000 : null;

/** One decision that a person looks at: what would be done, to whom, why, and what to say of it. */
export function ReviewPage({ id }: { readonly id: string }) {
  const found = useResource<ReviewDetail>(`/api/reviews/${encodeURIComponent(id)}`, pace);
  const { data, error } = found;
  useTitle(data === null ? 'Review' : `${data.summary.action} · review`);
  if (data !== null) return <Detail detail={data} onSaid={found.reload} />;
  return (
    <div className="page">
      <Crumbs id={id} />
      <h1>Review</h1>
      <section className="panel">
        {error === null ? (
          <Loading lines={10} />
        ) : error.status === 404 ? (
          <Empty title="Nothing of this id is to be reviewed">
            It may have been decided more than a day ago. See{' '}
            <Link to={paths.decision(id)}>the decision</Link> or <Link to="/reviews">what waits</Link>.
          </Empty>
        ) : (
          <Failure what="The decision could not be read" error={error} onRetry={found.reload} />
        )}
      </section>
    </div>
  );
}

function Detail({ detail, onSaid }: { readonly detail: ReviewDetail; readonly onSaid: () => void }) {
  const { summary, decision, decided, isEscalated } = detail;
  const status = useStore(statusPoll);
  const currency = status.data?.tenants.find(({ name }) => name === summary.tenant)?.currency ?? null;
  const now = Date.now();
  const isOver = decided === null && summary.expiresAt <= now;
  return (
    <div className="page page-decision">
      <Crumbs id={summary.id} />
      <div className="hero">
        <h1>
          {decided !== null ? 'Reviewed' : summary.reason === 'sample' ? 'Did' : 'Would do'}{' '}
          <em>{summary.action}</em>
        </h1>
        <p className="hero-tags">
          {decided !== null && <VerdictTag verdict={decided.verdict} />}
          {decided === null && isOver && <Tag tone="red">over</Tag>}
          {decided === null && !isOver && <Tag tone="amber">{timeLeft(summary.expiresAt, now)} left</Tag>}
          {decided === null && isEscalated && <Tag tone="red">urgent</Tag>}
          {summary.simulated && <SimulatedTag />}
        </p>
        <p className="hero-line">
          to <Link to={paths.subject(summary.subject, summary.tenant)}>{summary.subject}</Link> in placement{' '}
          <b>{summary.placement}</b> of tenant <b>{summary.tenant}</b>
          {decision !== null && (
            <>
              , <StartedBy decision={decision} />
            </>
          )}
        </p>
        <p className="hero-summary">{whyReviewed(summary)}</p>
      </div>
      {decided !== null ? (
        <Said detail={detail} />
      ) : isOver ? (
        <section className="panel">
          <Empty title="Its time is over">Nobody said anything by then. It is not executed any more.</Empty>
        </section>
      ) : (
        decision?.offer && <VerdictForm summary={summary} content={decision.offer.content} onSaid={onSaid} />
      )}
      {decision !== null && (
        <>
          <CandidateTable decision={decision} currency={currency} />
          <div className="columns">
            <div className="column">
              <Inputs
                title="Features"
                note={`as of log position ${decision.log.position}`}
                values={decision.features}
              />
            </div>
            <div className="column">
              <Inputs
                title="Context"
                note={decision.startedBy.kind === 'request' ? 'from the request' : "from the trigger's event"}
                values={decision.context}
              />
            </div>
          </div>
        </>
      )}
    </div>
  );
}

function Said({ detail: { summary, decided } }: { readonly detail: ReviewDetail }) {
  if (decided === null) return null;
  return (
    <Panel title="Verdict" note={decided.isPublished ? 'in the log' : 'on its way to the log'}>
      <dl className="pairs">
        <div>
          <dt>verdict</dt>
          <dd>{decided.verdict}</dd>
        </div>
        <div>
          <dt>by</dt>
          <dd>{decided.reviewer === null ? decided.by : `${decided.reviewer} (${decided.by})`}</dd>
        </div>
        <div>
          <dt>at</dt>
          <dd>
            <Time at={decided.at} />
          </dd>
        </div>
        {decided.note !== null && (
          <div>
            <dt>note</dt>
            <dd>{decided.note}</dd>
          </div>
        )}
      </dl>
      <p className="panel-foot">
        <Link to={paths.decision(summary.id)}>The decision</Link> · <Link to="/reviews">What else waits</Link>
      </p>
    </Panel>
  );
}

const Crumbs = ({ id }: { readonly id: string }) => (
  <p className="crumbs">
    <Link to="/reviews">Reviews</Link> <span aria-hidden="true">/</span>{' '}
    <span className="mono crumb-id">{id}</span>
    <Copy text={id} what="the decision's id" />
  </p>
);
