import { collections } from './compile-context.ts';

interface Misshapen {
  readonly path: readonly PropertyKey[];
  readonly code: string;
  readonly keys?: readonly string[];
}

/** A copy of a document without the members (a feature, an action) that are misshapen. */
export function soundPart(document: unknown, issues: readonly Misshapen[]): unknown {
  if (document === null || typeof document !== 'object' || Array.isArray(document)) return document;
  const sound: Record<string, unknown> = { version: 1, name: 'unnamed', tenants: {}, ...document };
  for (const { path, code, keys } of issues) {
    const [part, member] = path.map(String);
    if (part === undefined) {
      if (code === 'unrecognized_keys') for (const key of keys ?? []) delete sound[key];
    } else if (member !== undefined && (collections as readonly string[]).includes(part)) {
      sound[part] = without(sound[part], member);
    } else if (part === 'version') sound.version = 1;
    else if (part === 'name') sound.name = 'unnamed';
    else if (part === 'tenants') sound.tenants = {};
    else delete sound[part];
  }
  return sound;
}

function without(members: unknown, name: string): unknown {
  if (members === null || typeof members !== 'object') return {};
  return Object.fromEntries(Object.entries(members).filter(([key]) => key !== name));
}
