import { type AnchorHTMLAttributes, type MouseEvent, useEffect } from 'react';
import { makeStore, useStore } from './api/store.ts';

export * from './routes.ts';

interface Location {
  readonly path: string;
  readonly search: string;
}

const here = (): Location => ({ path: window.location.pathname, search: window.location.search });
const location = makeStore<Location>(here());

window.addEventListener('popstate', () => location.set(here()));

export const useLocation = (): Location => useStore(location);

export function useSearch(): URLSearchParams {
  return new URLSearchParams(useLocation().search);
}

/** Goes to an address of this console. `replace` leaves no step in the history: for filters. */
export function navigate(to: string, options: { readonly replace?: boolean } = {}): void {
  const before = window.location.pathname;
  if (options.replace) window.history.replaceState(null, '', to);
  else window.history.pushState(null, '', to);
  location.set(here());
  if (window.location.pathname !== before) window.scrollTo(0, 0);
}

/** Sets or, with null or '', removes parameters of the present address. */
export function setSearch(changes: Readonly<Record<string, string | null>>, replace = true): void {
  const search = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') search.delete(name);
    else search.set(name, value);
  }
  // Ids and lists stay readable in the address bar.
  const text = search.toString().replaceAll('%2C', ',').replaceAll('%3A', ':');
  navigate(`${window.location.pathname}${text === '' ? '' : `?${text}`}`, { replace });
}

interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  readonly to: string;
}

/** A link within the console; opens in a new tab as any other link does. */
export function Link({ to, onClick, ...rest }: LinkProps) {
  function follow(event: MouseEvent<HTMLAnchorElement>): void {
    onClick?.(event);
    const wantsTab = event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (event.defaultPrevented || wantsTab) return;
    event.preventDefault();
    navigate(to);
  }
  return <a {...rest} href={to} onClick={follow} />;
}

/** The document's title while a page is open. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Presage`;
  }, [title]);
}
