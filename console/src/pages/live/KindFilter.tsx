import { type RowKind, rowKinds } from '../../live/index.ts';
import { setSearch } from '../../router.tsx';

/** The kinds that an address names; null = all of them. */
export function kindsOf(text: string | null): ReadonlySet<RowKind> | null {
  if (text === null) return null;
  const named = new Set(text.split(','));
  const known = rowKinds.flatMap(({ kind }) => (named.has(kind) ? [kind] : []));
  return known.length === 0 || known.length === rowKinds.length ? null : new Set(known);
}

/** One switch a kind. From "all", pressing one shows that one alone: the usual wish. */
export function KindFilter({ selected }: { readonly selected: ReadonlySet<RowKind> | null }) {
  function toggle(kind: RowKind): void {
    const next = new Set(selected ?? []);
    if (!next.delete(kind)) next.add(kind);
    const isAll = next.size === 0 || next.size === rowKinds.length;
    setSearch({ kinds: isAll ? null : [...next].join(',') });
  }
  return (
    <fieldset className="chips">
      <legend className="hidden">Kinds shown</legend>
      <button
        type="button"
        className="chip"
        aria-pressed={selected === null}
        onClick={() => setSearch({ kinds: null })}
      >
        All
      </button>
      {rowKinds.map(({ kind, label }) => (
        <button
          key={kind}
          type="button"
          className="chip"
          aria-pressed={selected?.has(kind) ?? false}
          onClick={() => toggle(kind)}
        >
          <span className={`dot dot-${kind}`} aria-hidden="true" />
          {label}
        </button>
      ))}
    </fieldset>
  );
}
