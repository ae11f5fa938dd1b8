import { contentId } from '../core/index.ts';

/**
 * JSON with the keys of every object in code-unit order, so that equal content is equal text whatever the order in
 * which it was written. Absent and undefined are the same; the order of lists counts.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** Hash of content, 32 hex digits. `kind` keeps equal content of different things apart. */
export function contentHash(kind: string, value: unknown): string {
  return contentId(kind, canonicalJson(value));
}
