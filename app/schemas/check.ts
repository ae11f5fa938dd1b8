import {
  type CompatibilityLevel,
  describeIncompatibility,
  type Incompatibility,
  incompatibilities,
  type SchemaRegistry,
  type SubjectSchema,
  schemaText,
} from '../../stream/schemas/index.ts';
import { canonicalJson, type EventSchema } from '../../workspace/index.ts';
import type { Snapshot } from './snapshot.ts';

/** What the check has to say of one schema. */
export interface Finding {
  /** Record name or subject. */
  readonly name: string;
  readonly change: 'same' | 'new' | 'changed' | 'removed';
  /** Why it may not change like that; empty: it may. */
  readonly problems: readonly Problem[];
}

export interface Problem {
  readonly path: string;
  readonly rule: string;
  readonly reason: string;
  readonly message: string;
}

/** Compares the workspace's schemas with the committed ones. `isOpen`: undeclared types are taken. */
export function checkSnapshots(
  snapshots: ReadonlyMap<string, Snapshot>,
  schemas: readonly EventSchema[],
  level: CompatibilityLevel,
  isOpen: boolean,
): readonly Finding[] {
  const findings = schemas.map(({ name, schema }): Finding => {
    const known = snapshots.get(name);
    if (known === undefined) return { name, change: 'new', problems: [] };
    if (canonicalJson(known.versions.at(-1)) === canonicalJson(schema))
      return { name, change: 'same', problems: [] };
    const history = known.versions.map((version, index) => ({ version: index + 1, schema: version }));
    return { name, change: 'changed', problems: incompatibilities(level, history, schema).map(problemOf) };
  });
  const present = new Set(schemas.map(({ name }) => name));
  const gone = [...snapshots.values()].filter(({ name }) => !present.has(name));
  return [
    ...findings,
    ...gone.map(
      ({ name }): Finding => ({ name, change: 'removed', problems: removedProblems(level, isOpen) }),
    ),
  ];
}

/**
 * Compares with what a registry has: refused is what the registry refuses by its own level, and what our rules refuse
 * by `level`, since a registry may have no level set. Our rules find the field and the reason.
 */
export async function checkRegistry(
  registry: SchemaRegistry,
  schemas: readonly SubjectSchema[],
  level: CompatibilityLevel,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { subject, schema } of schemas) {
    const history = (await registry.versions(subject)).map(({ version, text }) => ({
      version,
      schema: JSON.parse(text) as Readonly<Record<string, unknown>>,
    }));
    const last = history.at(-1);
    if (last === undefined || canonicalJson(last.schema) === canonicalJson(schema)) {
      findings.push({ name: subject, change: last === undefined ? 'new' : 'same', problems: [] });
      continue;
    }
    const isTaken = await registry.isCompatible(subject, schemaText(schema));
    const problems = isTaken
      ? incompatibilities(level, history, schema).map(problemOf)
      : refusalOf(history, schema, level);
    findings.push({ name: subject, change: 'changed', problems });
  }
  return findings;
}

/** Why the registry refuses it, by our rules; its own level may look at more than ours is asked for. */
function refusalOf(
  history: Parameters<typeof incompatibilities>[1],
  schema: SubjectSchema['schema'],
  level: CompatibilityLevel,
): readonly Problem[] {
  for (const tried of [level, 'BACKWARD', 'FORWARD', 'FULL_TRANSITIVE'] as const) {
    const found = incompatibilities(tried, history, schema);
    if (found.length > 0) return found.map(problemOf);
  }
  const reason = 'the registry refuses it, by a rule that ours do not have (docs/schemas.md)';
  return [{ path: '', rule: 'refused_by_registry', reason, message: reason }];
}

function removedProblems(level: CompatibilityLevel, isOpen: boolean): readonly Problem[] {
  if (isOpen || level === 'NONE' || level.startsWith('FORWARD')) return [];
  const reason = 'is no longer declared, and the workspace is closed: its events would be refused';
  return [{ path: '', rule: 'type_removed', reason, message: reason }];
}

const problemOf = (found: Incompatibility): Problem => ({
  path: found.path,
  rule: found.rule,
  reason: found.reason,
  message: describeIncompatibility(found),
});

export const isRefused = (findings: readonly Finding[]): boolean =>
  findings.some(({ problems }) => problems.length > 0);

/** What `presage schemas check` prints. */
export function renderFindings(findings: readonly Finding[], level: string): string {
  const lines = findings.flatMap(({ name, problems }) =>
    problems.map(({ message }) => `${name}: ${message}.`),
  );
  const refused = findings.filter(({ problems }) => problems.length > 0).length;
  if (refused > 0) {
    const what = refused === 1 ? 'schema changes' : 'schemas change';
    return `${lines.join('\n')}\n\n${refused} ${what} in a way that is not compatible (${level}).`;
  }
  const count = (change: Finding['change']) => findings.filter((finding) => finding.change === change).length;
  const parts = [`${count('same')} unchanged`];
  for (const change of ['changed', 'new', 'removed'] as const)
    if (count(change) > 0) parts.push(`${count(change)} ${change}`);
  return `Compatible (${level}): ${parts.join(', ')}.`;
}
