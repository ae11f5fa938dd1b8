import type { DecisionDetail } from '../../../../schemas/index.ts';
import { statusPoll, useResource, useStore } from '../../api/index.ts';
import { Copy, Empty, Failure, Loading, ModeTag, Panel, SimulatedTag, Tag } from '../../components/index.ts';
import { Link, paths, useTitle } from '../../router.tsx';
import { CandidateTable } from './CandidateTable.tsx';
import { Delivery } from './Delivery.tsx';
import { CapTable, Inputs } from './Inputs.tsx';
import { OfferPreview } from './OfferPreview.tsx';
import { Provenance } from './Provenance.tsx';
import { RawRecord } from './RawRecord.tsx';
import { Slots } from './Slots.tsx';
import { StartedBy } from './StartedBy.tsx';
import { summarize } from './summary.ts';
import { Timings } from './Timings.tsx';

/** Followed until nothing more can come soon: an outcome, or a minute after the offer's end. */
function pace(detail: DecisionDetail | null): number | null {
  if (detail === null) return 3_000;
  const { offer, mode } = detail.decision;
  if (offer === null || mode !== 'act' || detail.outcomes.length > 0) return null;
  return Date.now() > offer.expiresAt + 60_000 ? null : 2_000;
}

/** One decision: what was chosen, why, and why not the others. */
export function DecisionPage({ id }: { readonly id: string }) {
  const found = useResource<DecisionDetail>(`/api/decisions/${encodeURIComponent(id)}`, pace);
  const { data, error } = found;
  useTitle(data === null ? 'Decision' : `${data.decision.action ?? 'Nothing offered'} · decision`);
  if (data !== null) return <Detail detail={data} />;
  return (
    <div className="page">
      <Crumbs id={id} />
      <h1>Decision</h1>
      <section className="panel">
        {error === null ? (
          <Loading lines={14} />
        ) : error.status === 404 ? (
          <Empty title="No decision has this id">
            It may have been made a moment ago (the record follows within a second), or be older than the
            tables keep. See <Link to="/decisions">all decisions</Link>.
          </Empty>
        ) : (
          <Failure what="The decision could not be read" error={error} onRetry={found.reload} />
        )}
      </section>
    </div>
  );
}

function Detail({ detail }: { readonly detail: DecisionDetail }) {
  const { decision } = detail;
  const status = useStore(statusPoll);
  const currency = status.data?.tenants.find(({ name }) => name === decision.tenant)?.currency ?? null;
  return (
    <div className="page page-decision">
      <Crumbs id={decision.id} />
      <div className="hero">
        <h1>
          {decision.action === null ? (
            'Nothing was offered'
          ) : (
            <>
              {decision.mode === 'act' ? 'Chose' : 'Would have chosen'} <em>{decision.action}</em>
            </>
          )}
        </h1>
        <p className="hero-tags">
          {(decision.action !== null || decision.mode !== 'act') && <ModeTag mode={decision.mode} />}
          <Tag title={decision.rungReason}>{decision.rung}</Tag>
          {decision.mode === 'review' && <Link to={paths.review(decision.id)}>Review it</Link>}
          {!decision.recorded && <Tag tone="red">not recorded</Tag>}
          {decision.simulated && <SimulatedTag />}
        </p>
        <p className="hero-line">
          to <Link to={paths.subject(decision.subject, decision.tenant)}>{decision.subject}</Link> in
          placement <b>{decision.placement}</b> of tenant <b>{decision.tenant}</b>,{' '}
          <StartedBy decision={decision} />
        </p>
        <p className="hero-summary">{summarize(decision)}</p>
      </div>
      <CandidateTable decision={decision} currency={currency} />
      <div className="columns">
        <div className="column">
          <Delivery detail={detail} currency={currency} />
          <Slots decision={decision} />
          <OfferPreview decision={decision} />
          <CapTable caps={decision.capsSeen} chosen={decision.action} />
          <Timings timings={decision.timings} />
        </div>
        <div className="column">
          <Inputs
            title="Features"
            note={`as of log position ${decision.log.position}`}
            values={decision.features}
          />
          <Inputs title="Context" note={contextNote(decision.startedBy.kind)} values={decision.context} />
        </div>
      </div>
      <Provenance decision={decision} />
      <Panel title="Raw record">
        <RawRecord detail={detail} />
      </Panel>
    </div>
  );
}

const contextNote = (kind: string): string =>
  kind === 'trigger' ? "from the trigger's event" : 'from the request';

const Crumbs = ({ id }: { readonly id: string }) => (
  <p className="crumbs">
    <Link to="/decisions">Decisions</Link> <span aria-hidden="true">/</span>{' '}
    <span className="mono crumb-id">{id}</span>
    <Copy text={id} what="the decision's id" />
  </p>
);
