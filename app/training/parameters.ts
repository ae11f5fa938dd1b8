import { quoted } from '../../stream/features/sql/index.ts';
import type { Ask } from '../parity/port.ts';

type Rows = <T>(query: string, parameters?: Readonly<Record<string, unknown>>) => Promise<T[]>;

/** Asks with parameters (`{name:Type}`) where only text can be asked, as of a running instance. */
export const askWithParameters =
  (ask: Ask): Rows =>
  (query, parameters = {}) =>
    ask(query.replace(/\{(\w+):\w+(?:\(\w+\))?\}/g, (_, name: string) => literal(name, parameters[name])));

function literal(name: string, value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value)))
    return String(value);
  if (Array.isArray(value)) return `[${value.map((one) => literal(name, one)).join(', ')}]`;
  throw new TypeError(`query parameter "${name}" is ${typeof value}, which has no literal`);
}
