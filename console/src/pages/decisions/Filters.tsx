import { type FormEvent, useEffect, useState } from 'react';
import type { DecisionList } from '../../../../schemas/index.ts';
import { setSearch, useSearch } from '../../router.tsx';

interface FiltersProps {
  readonly tenants: readonly string[];
  /** What is shown now: its names are offered as completions. */
  readonly list: DecisionList | null;
}

const typed = ['placement', 'action', 'subject'] as const;
type Typed = Readonly<Record<(typeof typed)[number], string>>;

const placeholders: Typed = { placement: 'any', action: 'any', subject: 'u:… or a:…' };

export function Filters({ tenants, list }: FiltersProps) {
  const search = useSearch();
  const stands: Typed = {
    placement: search.get('placement') ?? '',
    action: search.get('action') ?? '',
    subject: search.get('subject') ?? '',
  };
  const [values, setValues] = useState(stands);
  const address = JSON.stringify(stands);
  // Back and forward change the address under us: the fields follow.
  useEffect(() => setValues(JSON.parse(address)), [address]);

  function apply(event: FormEvent): void {
    event.preventDefault();
    setSearch({ ...trimmed(values), before: null }, false);
  }

  return (
    <search aria-label="Filter decisions">
      <form className="filters" onSubmit={apply}>
        {tenants.length > 1 && (
          <label className="field">
            <span>Tenant</span>
            <select
              value={search.get('tenant') ?? ''}
              onChange={(event) => setSearch({ tenant: event.target.value, before: null }, false)}
            >
              <option value="">all</option>
              {tenants.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
        )}
        {typed.map((name) => (
          <label className="field" key={name}>
            <span>{name}</span>
            <input
              value={values[name]}
              placeholder={placeholders[name]}
              list={name === 'subject' ? undefined : `known-${name}`}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => setValues({ ...values, [name]: event.target.value })}
            />
          </label>
        ))}
        <Known name="placement" values={list?.decisions.map((decision) => decision.placement) ?? []} />
        <Known name="action" values={list?.decisions.flatMap((decision) => decision.action ?? []) ?? []} />
        <button type="submit" className="button">
          Apply
        </button>
      </form>
    </search>
  );
}

const Known = ({ name, values }: { readonly name: string; readonly values: readonly string[] }) => (
  <datalist id={`known-${name}`}>
    {[...new Set(values)].sort().map((value) => (
      <option key={value} value={value} />
    ))}
  </datalist>
);

const trimmed = (values: Typed): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.trim()]));
