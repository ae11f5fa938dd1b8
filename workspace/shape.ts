import type { z } from 'zod';
import { keysAt } from './keys.ts';
import { describe, type Path, quote, type Report } from './problems.ts';
import { nearest } from './suggest.ts';

type Issue = z.core.$ZodIssue;

const typeNames: Readonly<Record<string, string>> = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

/** Says in words what zod found wrong with the shape of `root`. */
export function reportShape(issues: readonly Issue[], root: unknown, report: Report, base: Path = []): void {
  for (const issue of issues) {
    const path = [...base, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
    if (issue.code === 'unrecognized_keys') reportUnknownKeys(issue.keys, path, root, report);
    else if (issue.code === 'invalid_union' && !isDiscriminated(issue)) {
      reportUnion(issue.errors, path, root, report);
    } else reportOne(issue, path, root, report);
  }
}

function reportOne(issue: Issue, path: Path, root: unknown, report: Report): void {
  if (issue.code === 'invalid_key') {
    const key = String(path.at(-1));
    report(path, `expected ${issue.issues[0]?.message ?? 'another key'} but found ${quote(key)}`, {
      at: 'key',
    });
    return;
  }
  const value = valueAt(root, path);
  const choices = choicesOf(issue);
  const suggestion = typeof value === 'string' ? nearest(value, choices) : undefined;
  const found = value === undefined ? 'but it is missing' : `but found ${foundFor(issue, value)}`;
  report(path, `expected ${expectedBy(issue, choices)} ${found}`, { suggestion });
}

function reportUnknownKeys(keys: readonly string[], path: Path, root: unknown, report: Report): void {
  const known = keysAt(path, root);
  for (const key of keys) {
    const others = known.filter((name) => valueAt(root, [...path, name]) === undefined);
    report([...path, key], `unknown key; expected one of ${known.join(', ')}`, {
      suggestion: nearest(key, others),
      at: 'key',
    });
  }
}

/** Of a union, the branch whose type fits and that is wrong further in; else all types that would fit. */
function reportUnion(
  branches: readonly (readonly Issue[])[],
  path: Path,
  root: unknown,
  report: Report,
): void {
  const closest = branches.find((issues) =>
    issues.every((issue) => issue.path.length > 0 || issue.code !== 'invalid_type'),
  );
  if (closest !== undefined && closest.length > 0) {
    reportShape(closest, root, report, path);
    return;
  }
  const expected = [...new Set(branches.flatMap((issues) => issues.map((issue) => expectedBy(issue, []))))];
  report(path, `expected ${expected.join(' or ')} but found ${describe(valueAt(root, path))}`);
}

function expectedBy(issue: Issue, choices: readonly string[]): string {
  if (choices.length > 0) return choices.length === 1 ? `${choices[0]}` : `one of ${choices.join(', ')}`;
  switch (issue.code) {
    case 'invalid_type':
      return typeNames[issue.expected] ?? issue.expected;
    case 'too_small':
      return bound('at least', issue.minimum, issue.origin);
    case 'too_big':
      return bound('at most', issue.maximum, issue.origin);
    case 'invalid_format':
    case 'custom':
      return issue.message;
    default:
      return 'something else';
  }
}

function bound(side: string, limit: number | bigint, origin: string): string {
  if (origin === 'string') return `${side} ${limit} ${limit === 1 ? 'character' : 'characters'}`;
  if (origin === 'array') return `${side} ${limit} ${limit === 1 ? 'item' : 'items'}`;
  return `${side} ${limit}`;
}

function foundFor(issue: Issue, value: unknown): string {
  const isTooLong = issue.code === 'too_big' && typeof value === 'string';
  return isTooLong ? `${value.length}` : describe(value);
}

function choicesOf(issue: Issue): readonly string[] {
  if (issue.code === 'invalid_value') return issue.values.map(String);
  if (issue.code === 'invalid_union' && isDiscriminated(issue)) return issue.options.map(String);
  return [];
}

function isDiscriminated(issue: Issue): issue is Issue & { readonly options: readonly unknown[] } {
  return 'options' in issue && Array.isArray(issue.options);
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, part)) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}
