import type { OutcomeRates } from '../../../../schemas/index.ts';
import { query, statusPoll, useResource, useStore } from '../../api/index.ts';
import { Empty, Failure, Loading, SimulatedTag } from '../../components/index.ts';
import { counted, formatCount, formatMoney, formatPercent, nothing } from '../../format/index.ts';
import { setSearch, useSearch } from '../../router.tsx';

const choices = ['action', 'placement', 'policy', 'rung', 'model'] as const;
type By = (typeof choices)[number];
type Group = OutcomeRates['groups'][number];

/** What came of the last week's decisions. Asked for only while it is open; that, and by what, stands in the address. */
export function Outcomes() {
  const asked = useSearch().get('outcomes');
  const by = choices.find((choice) => choice === asked) ?? null;
  return (
    <details
      className="panel outcomes"
      open={by !== null}
      onToggle={({ currentTarget: { open } }) => {
        if (open !== (by !== null)) setSearch({ outcomes: open ? 'action' : null });
      }}
    >
      <summary>
        What came of it <span className="quiet">decisions of the last 7 days</span>
      </summary>
      {by !== null && <Rates by={by} />}
    </details>
  );
}

function Rates({ by }: { readonly by: By }) {
  const tenant = useSearch().get('tenant');
  const status = useStore(statusPoll);
  const rates = useResource<OutcomeRates>(`/api/outcomes${query({ by, tenant })}`);
  const currencies = new Map(status.data?.tenants.map(({ name, currency }) => [name, currency]) ?? []);
  const { data, error } = rates;
  return (
    <>
      <div className="outcomes-tools">
        <label className="field">
          <span>By</span>
          <select value={by} onChange={(event) => setSearch({ outcomes: event.target.value })}>
            {choices.map((choice) => (
              <option key={choice}>{choice}</option>
            ))}
          </select>
        </label>
        <button type="button" className="button" onClick={rates.reload} disabled={rates.isLoading}>
          Compute again
        </button>
      </div>
      {error !== null ? (
        <Failure what="The outcomes could not be computed" error={error} onRetry={rates.reload} />
      ) : data === null ? (
        <Loading lines={4} />
      ) : data.groups.length === 0 ? (
        <Empty title="Nothing was decided in the last 7 days" />
      ) : (
        <>
          <Table rates={data} currencies={currencies} />
          <p className="outcomes-note">
            Shown means that the client said so. A rate is of those shown whose time to answer or convert is
            over; each decision counts once.
            {data.truncated && ' There are more groups; these have most decisions.'}
          </p>
        </>
      )}
    </>
  );
}

interface TableProps {
  readonly rates: OutcomeRates;
  readonly currencies: ReadonlyMap<string, string>;
}

function Table({ rates, currencies }: TableProps) {
  const hasTenants = currencies.size > 1;
  return (
    <table className="table table-decisions table-outcomes">
      <thead>
        <tr>
          <th scope="col">{rates.by}</th>
          {hasTenants && <th scope="col">Tenant</th>}
          {['Decided', 'Shown', 'Accepted', 'Dismissed', 'Expired', 'Ignored', 'Open'].map((name) => (
            <th scope="col" className="number" key={name}>
              {name}
            </th>
          ))}
          <th scope="col">Led to</th>
        </tr>
      </thead>
      <tbody>
        {rates.groups.map((group) => (
          <tr key={`${group.tenant} ${group.key} ${group.simulated}`}>
            <td className="cell-action">
              <span className={group.key === '' ? 'is-nothing' : 'outcomes-key'} title={group.key}>
                {group.key === '' ? nameOfNothing(rates.by) : shortened(rates.by, group.key)}
              </span>{' '}
              {group.simulated && <SimulatedTag isShort />}
            </td>
            {hasTenants && (
              <td data-label="Tenant" className="cell-wide">
                {group.tenant}
              </td>
            )}
            <Count label="Decided" count={group.decisions} />
            <Count label="Shown" count={group.shown} />
            <td data-label="Accepted" className="number">
              {rateOf(group, 'accepted')} <span className="quiet">{formatCount(group.accepted)}</span>
            </td>
            <Count label="Dismissed" count={group.dismissed} />
            <Count label="Expired" count={group.expired} />
            <Count label="Ignored" count={group.ignored} />
            <Count label="Open" count={group.waiting} />
            <td data-label="Led to" className="cell-wide">
              <Successes group={group} currency={currencies.get(group.tenant) ?? null} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const Count = ({ label, count }: { readonly label: string; readonly count: number }) => (
  <td data-label={label} className="number">
    {formatCount(count)}
  </td>
);

/** One line a metric that has anything to say. */
function Successes({ group, currency }: { readonly group: Group; readonly currency: string | null }) {
  const metrics = group.metrics.filter(({ metric, successes }) => metric !== 'accepted' && successes > 0);
  if (metrics.length === 0) return <>{nothing}</>;
  return (
    <ul className="outcomes-metrics">
      {metrics.map(({ metric, successes, rate, mature, provisional, value }) => (
        <li
          key={metric}
          title={`${formatCount(mature)} with a closed window, ${formatCount(provisional)} younger ones succeeded already`}
        >
          <b>{metric}</b> {rate === null ? 'rate not known yet' : formatPercent(rate)}{' '}
          <span className="quiet">
            {counted(successes, 'time')}
            {Number(value) === 0 ? '' : `, ${formatMoney(Number(value), currency)}`}
          </span>
        </li>
      ))}
    </ul>
  );
}

function rateOf(group: Group, name: string): string {
  const rate = group.metrics.find(({ metric }) => metric === name)?.rate ?? null;
  return rate === null ? nothing : formatPercent(rate);
}

const nameOfNothing = (by: By): string => (by === 'action' ? 'nothing offered' : 'none');

/** A policy is a hash of 32 digits. */
const shortened = (by: By, key: string): string => (by === 'policy' ? key.slice(0, 10) : key);
