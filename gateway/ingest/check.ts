import type { CompiledWorkspace } from '../../workspace/index.ts';
import { limits } from '../limits.ts';
import { type Checked, kept, refused } from './reject.ts';

/** What a declared type has to say about an event. */
export interface TypeVerdict {
  /** Goes with the event; undefined for undeclared types. */
  readonly schema: string | undefined;
  /** It has no properties but those of its declared type. */
  readonly isExact: boolean;
}

const undeclared: Checked<TypeVerdict> = kept({ schema: undefined, isExact: false });

/** Checks type and properties against the workspace: `unknown_event_type`, `wrong_type`, `too_deep`. */
export function checkType(
  workspace: CompiledWorkspace,
  type: string,
  properties: Readonly<Record<string, unknown>>,
  context: Readonly<Record<string, unknown>> | undefined,
): Checked<TypeVerdict> {
  if (
    isDeeperThan(properties, limits.depth) ||
    (context !== undefined && isDeeperThan(context, limits.depth))
  ) {
    return refused('too_deep', `Objects and lists are nested more than ${limits.depth} deep.`);
  }
  const declared = workspace.types.get(type);
  if (declared === undefined) {
    if (workspace.eventsAreOpen) return undeclared;
    return refused(
      'unknown_event_type',
      `Event type "${type.slice(0, 64)}" is not declared, and this workspace is closed: declare it under "types" in presage.yaml.`,
      { path: 'event' },
    );
  }
  const wrong = declared.check(properties);
  if (wrong === null) return kept({ schema: declared.schemaHash, isExact: declared.declaresAll(properties) });
  // Paths from the event's top, whether the check names them so or from the properties' top.
  const path = wrong.path.startsWith('properties') ? wrong.path : `properties.${wrong.path}`;
  return refused('wrong_type', `${path}: expected ${wrong.expected}, got ${wrong.got}.`, { ...wrong, path });
}

/** Whether objects and lists are nested beyond `left` levels; looks no deeper than that. */
export function isDeeperThan(value: unknown, left: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (left === 0) return true;
  if (Array.isArray(value)) return value.some((item) => isDeeperThan(item, left - 1));
  for (const key in value) {
    if (isDeeperThan((value as Record<string, unknown>)[key], left - 1)) return true;
  }
  return false;
}
