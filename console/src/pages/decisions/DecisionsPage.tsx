import type { DecisionList } from '../../../../schemas/index.ts';
import { query, statusPoll, useResource, useStore } from '../../api/index.ts';
import { Empty, Failure, Loading } from '../../components/index.ts';
import { Link, setSearch, useSearch, useTitle } from '../../router.tsx';
import { DecisionTable } from './DecisionTable.tsx';
import { Filters } from './Filters.tsx';
import { Newer } from './Newer.tsx';
import { Outcomes } from './Outcomes.tsx';
import { TryOut } from './TryOut.tsx';

const pageSize = 50;
export const filterNames = ['tenant', 'placement', 'action', 'subject'] as const;

/** What was decided, newest first. Filters and page stand in the address. */
export function DecisionsPage() {
  useTitle('Decisions');
  const search = useSearch();
  const status = useStore(statusPoll);
  const filters = Object.fromEntries(filterNames.map((name) => [name, search.get(name)]));
  const before = search.get('before');
  const list = useResource<DecisionList>(`/api/decisions${query({ ...filters, before, limit: pageSize })}`);
  const tenants = status.data?.tenants.map(({ name }) => name) ?? [];
  const isFiltered = filterNames.some((name) => search.get(name) !== null);
  const { data, error } = list;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Decisions</h1>
        {before === null && data !== null && <Newer loaded={data} filters={filters} onShow={list.reload} />}
      </div>
      <Outcomes />
      <Filters tenants={tenants} list={data} />
      <section className="panel" aria-label="List of decisions" aria-busy={list.isLoading}>
        {error !== null ? (
          <Failure what="The decisions could not be read" error={error} onRetry={list.reload} />
        ) : data === null ? (
          <Loading lines={12} />
        ) : data.decisions.length === 0 ? (
          <Nothing isFiltered={isFiltered} isPaged={before !== null} />
        ) : (
          <DecisionTable decisions={data.decisions} hasTenants={tenants.length > 1} />
        )}
      </section>
      {data !== null && (before !== null || data.next !== null) && (
        <nav className="paging" aria-label="Pages of the list">
          {before !== null && (
            <button type="button" className="button" onClick={() => setSearch({ before: null }, false)}>
              Newest
            </button>
          )}
          {data.next !== null && (
            <button
              type="button"
              className="button"
              onClick={() => {
                setSearch({ before: String(data.next) }, false);
                window.scrollTo(0, 0);
              }}
            >
              Older
            </button>
          )}
          {data.next === null && <span className="quiet">That is the oldest.</span>}
        </nav>
      )}
      <TryOut tenant={search.get('tenant') ?? ''} placement={search.get('placement') ?? ''} />
    </div>
  );
}

function Nothing({ isFiltered, isPaged }: { readonly isFiltered: boolean; readonly isPaged: boolean }) {
  if (isFiltered) {
    return (
      <Empty title="No decision fits these filters">
        <button
          type="button"
          className="button"
          onClick={() =>
            setSearch(Object.fromEntries([...filterNames, 'before'].map((name) => [name, null])))
          }
        >
          Show all
        </button>
      </Empty>
    );
  }
  if (isPaged) return <Empty title="Nothing older than this" />;
  return (
    <Empty title="Nothing has been decided yet">
      A decision is made when an event fires a trigger of the workspace, or when <code>POST /v1/decide</code>{' '}
      asks for one. What comes in now is on the <Link to="/">live page</Link>.
    </Empty>
  );
}
