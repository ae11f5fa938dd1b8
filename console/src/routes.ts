/** Where we are: every page has an address that can be sent to somebody. */
export type Route =
  | { readonly page: 'live' }
  | { readonly page: 'decisions' }
  | { readonly page: 'decision'; readonly id: string }
  | { readonly page: 'subject'; readonly id: string }
  | { readonly page: 'reviews' }
  | { readonly page: 'review'; readonly id: string }
  | { readonly page: 'unknown' };

/** The page that a path means. */
export function routeOf(path: string): Route {
  const [first = '', second, ...rest] = path.split('/').filter((part) => part !== '');
  if (first === '') return { page: 'live' };
  const id = second === undefined ? null : decode(second);
  if (rest.length > 0) return { page: 'unknown' };
  if (first === 'decisions') return id === null ? { page: 'decisions' } : { page: 'decision', id };
  if (first === 'reviews') return id === null ? { page: 'reviews' } : { page: 'review', id };
  if (first === 'subjects' && id !== null) return { page: 'subject', id };
  return { page: 'unknown' };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const paths = {
  live: '/',
  decisions: (search = ''): string => `/decisions${search}`,
  decision: (id: string): string => `/decisions/${encodeURIComponent(id)}`,
  review: (id: string): string => `/reviews/${encodeURIComponent(id)}`,
  /** The tenant goes along: the same id may mean two people in two tenants. */
  subject: (id: string, tenant: string): string =>
    `/subjects/${encodeURIComponent(id).replaceAll('%3A', ':')}?tenant=${encodeURIComponent(tenant)}`,
};
