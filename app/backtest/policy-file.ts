import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { messageOf, PresageError } from '../../core/index.ts';
import { type ByAction, type LoggedDecision, parseTable, type Table } from '../../replay/index.ts';
import { loadRowMap } from '../feed/index.ts';

/** What a policy would do about a decision: probabilities by action. */
export type PolicyOfDecision = (decision: LoggedDecision, row: Record<string, unknown>) => unknown;

export type PolicyFile =
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'function'; readonly of: PolicyOfDecision };

/** A policy from a JSON file, or from a module whose default export is asked about each decision. */
export async function loadPolicy(file: string): Promise<PolicyFile> {
  if (!/\.[cm]?js$/.test(file)) return { kind: 'table', table: await loadTable(file, 'probabilities') };
  const form = '(decision, row) => an action, or probabilities by action';
  const asked = (await loadRowMap(resolve(file), form)) as unknown as PolicyOfDecision;
  return { kind: 'function', of: (decision, row) => distributionOf(asked(decision, row)) };
}

/** Throws `table_unusable` with the file's name and what is wrong in it. */
export async function loadTable(file: string, what: 'probabilities' | 'expected rewards'): Promise<Table> {
  let text: string;
  try {
    text = await readFile(resolve(file), 'utf8');
  } catch (cause) {
    throw new PresageError('table_unusable', `${file} could not be read: ${messageOf(cause)}`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new PresageError('table_unusable', `${file} is not JSON: ${messageOf(cause)}`, { cause });
  }
  return parseTable(json, what, file);
}

function distributionOf(answer: unknown): unknown {
  if (typeof answer === 'string' || typeof answer === 'number') return { [answer]: 1 } satisfies ByAction;
  return Array.isArray(answer) ? Object.fromEntries(answer.map((one, action) => [action, one])) : answer;
}
