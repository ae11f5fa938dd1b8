import type { Status } from '../../../../schemas/index.ts';
import { type Polled, signOut, statusPoll } from '../../api/index.ts';
import { Failure, Loading, Panel, Time } from '../../components/index.ts';
import { formatCount, shortId } from '../../format/index.ts';

/** The instance: where to go from here, how its parts are, what it has counted. */
export function StatusPanel({ status }: { readonly status: Polled<Status> }) {
  const { data, error } = status;
  if (data === null) {
    return (
      <Panel title="Instance" className="panel-status">
        {error === null ? (
          <Loading lines={8} />
        ) : (
          <Failure what="The status could not be read" error={error} onRetry={statusPoll.refresh} />
        )}
      </Panel>
    );
  }
  return (
    <div className="side">
      <Links links={data.links} />
      <Roles roles={data.roles} />
      <Totals totals={data.totals} />
      <Panel title="Instance">
        <dl className="pairs">
          <dt>Workspace</dt>
          <dd>{data.workspace}</dd>
          <dt>Its hash</dt>
          <dd className="mono" title={data.workspaceHash}>
            {shortId(data.workspaceHash, 14)}
          </dd>
          <dt>Version</dt>
          <dd>{data.version}</dd>
          <dt>Running since</dt>
          <dd>
            <Time at={data.startedAt} />
          </dd>
        </dl>
        <p className="panel-foot">
          <button type="button" className="button" onClick={signOut}>
            Sign out
          </button>
        </p>
      </Panel>
    </div>
  );
}

function Links({ links }: { readonly links: Status['links'] }) {
  return (
    <Panel title="Try it">
      <ul className="links">
        {links.demo !== null && (
          <li>
            <a href={links.demo} target="_blank" rel="noreferrer">
              Demo site
            </a>
            <span>Click around in it: your own clicks bring an offer and show up here.</span>
          </li>
        )}
        <li>
          <a href={links.docs} target="_blank" rel="noreferrer">
            API docs
          </a>
          <span>Send events, ask for decisions.</span>
        </li>
        <li>
          <a href={links.metrics} target="_blank" rel="noreferrer">
            Metrics
          </a>
          <span>For Prometheus.</span>
        </li>
      </ul>
    </Panel>
  );
}

const roleWords: Readonly<Record<string, string>> = {
  ok: 'well',
  starting: 'starting',
  degraded: 'degraded',
  down: 'down',
};

function Roles({ roles }: { readonly roles: Status['roles'] }) {
  const unwell = roles.filter(({ state }) => state !== 'ok').length;
  return (
    <Panel title="Roles" note={unwell === 0 ? 'all well' : `${unwell} of ${roles.length} not well`}>
      <ul className="roles">
        {roles.map(({ name, state, why }) => (
          <li key={name}>
            <span className={`health health-${state}`} aria-hidden="true" />
            <span className="role-name">{name}</span>
            <span className="role-state">{roleWords[state] ?? state}</span>
            {why !== null && <span className="role-why">{why}</span>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Totals({ totals }: { readonly totals: Status['totals'] }) {
  const rows = [
    ['Events', totals.events],
    ['Decisions', totals.decisions],
    ['Exposures', totals.exposures],
    ['Outcomes', totals.outcomes],
    ['Dead letters', totals.deadLetters],
  ] as const;
  return (
    <Panel title="Totals" note="in ClickHouse">
      <dl className="pairs pairs-numbers">
        {rows.map(([label, count]) => (
          <div key={label} className={label === 'Dead letters' && count > 0 ? 'is-bad' : ''}>
            <dt>{label}</dt>
            <dd>{formatCount(count)}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
