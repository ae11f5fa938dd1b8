import { PresageError } from '../core/index.ts';

/** Keys and list positions from the root of a YAML document to one value. */
export type Path = readonly (string | number)[];

/** One mistake in a workspace: where it is, what was expected and what was found there. */
export interface Problem {
  /** Path of the file, as the folder was given. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** Where in the document, e.g. `features.cart.kind`; empty for the document itself. */
  readonly path: string;
  readonly message: string;
  /** A name that exists and that the misspelt one was probably meant to be. */
  readonly suggestion?: string;
}

export interface ReportOptions {
  readonly suggestion?: string | undefined;
  /** Point at the key instead of its value. */
  readonly at?: 'key' | 'value';
  /** Characters into the value, for a mistake inside an expression. */
  readonly offset?: number;
}

/** Takes note of one mistake at a path; checking goes on, so that a person sees all of them at once. */
export type Report = (path: Path, message: string, options?: ReportOptions) => void;

const shownAtMost = 50;

/** A workspace that cannot be used. Holds every mistake that was found; the message is made to be read as it is. */
export class WorkspaceError extends PresageError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('workspace_invalid', formatProblems(problems), { details: { problems } });
    this.name = 'WorkspaceError';
    this.problems = problems;
  }
}

/** `shop/presage.yaml:12:7 features.cart.kind: expected one of count, sum but found "cout". Did you mean "count"?` */
export function formatProblem(problem: Problem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  const path = problem.path === '' ? '' : ` ${problem.path}`;
  const question = problem.suggestion === undefined ? '' : ` Did you mean "${problem.suggestion}"?`;
  return `${place}${path}: ${problem.message}.${question}`;
}

/** One line for each problem, in the order of the file; very long lists are cut short and say so. */
export function formatProblems(problems: readonly Problem[]): string {
  const lines = problems.slice(0, shownAtMost).map(formatProblem);
  if (problems.length > shownAtMost) lines.push(`... and ${problems.length - shownAtMost} more.`);
  return lines.join('\n');
}

/** A path as people write it: `actions.help.caps[0].limit`; keys that are no plain names are quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[\w$-]+$/.test(part)) text += `[${quote(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** A value as it is shown in a message: short, on one line. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a map';
  return String(value);
}

export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
