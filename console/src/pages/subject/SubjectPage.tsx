import type { DecisionList, SubjectFeatures } from '../../../../schemas/index.ts';
import { query, statusPoll, useResource, useStore } from '../../api/index.ts';
import {
  Copy,
  Empty,
  Failure,
  FeatureList,
  Loading,
  Panel,
  SimulatedTag,
  Time,
} from '../../components/index.ts';
import { Link, setSearch, useSearch, useTitle } from '../../router.tsx';
import { DecisionTable } from '../decisions/DecisionTable.tsx';
import { Trail } from './Trail.tsx';

const pace = (): number => 2_000;
const shownDecisions = 20;

/** One subject: features now, what was decided for them, what comes in. */
export function SubjectPage({ id }: { readonly id: string }) {
  useTitle(id);
  const search = useSearch();
  const status = useStore(statusPoll);
  const tenants = status.data?.tenants.map(({ name }) => name) ?? [];
  const tenant = search.get('tenant') ?? (tenants.length === 1 ? (tenants[0] ?? null) : null);
  const isSimulated = id.startsWith('a:sim-');
  return (
    <div className="page">
      <p className="crumbs">
        <span>Subjects</span> <span aria-hidden="true">/</span> <span className="mono crumb-id">{id}</span>
        <Copy text={id} what="the subject's id" />
      </p>
      <div className="page-head">
        <h1 className="subject-title">{id.startsWith('u:') ? 'Known user' : 'Anonymous visitor'}</h1>
        {isSimulated && <SimulatedTag />}
        {tenants.length > 1 && (
          <label className="inline-field">
            <span>Tenant</span>
            <select value={tenant ?? ''} onChange={(event) => setSearch({ tenant: event.target.value })}>
              <option value="">choose…</option>
              {tenants.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
      </div>
      {tenant === null ? (
        <section className="panel">
          {status.data === null ? (
            <Loading lines={6} />
          ) : (
            <Empty title="Which tenant?">
              The same id may be two people in two tenants. Choose one above.
            </Empty>
          )}
        </section>
      ) : (
        <div className="columns columns-subject">
          <Features id={id} tenant={tenant} />
          <div className="column">
            <Decisions id={id} tenant={tenant} />
            <Trail subject={id} tenant={tenant} />
          </div>
        </div>
      )}
    </div>
  );
}

interface PartProps {
  readonly id: string;
  readonly tenant: string;
}

function Features({ id, tenant }: PartProps) {
  const { data, error, reload } = useResource<SubjectFeatures>(
    `/api/subjects/${encodeURIComponent(id)}/features${query({ tenant })}`,
    pace,
  );
  return (
    <Panel
      title="Features"
      note={
        data === null ? undefined : (
          <>
            as of <Time at={data.at} as="moment" />
          </>
        )
      }
    >
      {data !== null ? (
        Object.keys(data.features).length === 0 ? (
          <Empty title="This workspace declares no features" />
        ) : (
          <FeatureList features={data.features} />
        )
      ) : error === null ? (
        <Loading lines={10} />
      ) : error.status === 404 ? (
        <Empty title="Nothing is kept of this subject">
          No event of theirs has come in, or the last one is so long ago that its state has expired.
        </Empty>
      ) : (
        <Failure what="The features could not be read" error={error} onRetry={reload} />
      )}
    </Panel>
  );
}

function Decisions({ id, tenant }: PartProps) {
  const { data, error, reload } = useResource<DecisionList>(
    `/api/decisions${query({ tenant, subject: id, limit: shownDecisions })}`,
    pace,
  );
  return (
    <Panel
      title="Decisions"
      tools={
        data !== null &&
        data.next !== null && <Link to={`/decisions${query({ tenant, subject: id })}`}>All of them</Link>
      }
    >
      {data !== null ? (
        data.decisions.length === 0 ? (
          <Empty title="Nothing has been decided for this subject yet" />
        ) : (
          <DecisionTable decisions={data.decisions} hasTenants={false} isCompact />
        )
      ) : error === null ? (
        <Loading lines={6} />
      ) : (
        <Failure what="The decisions could not be read" error={error} onRetry={reload} />
      )}
    </Panel>
  );
}
