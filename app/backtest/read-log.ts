import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { messageOf, PresageError } from '../../core/index.ts';
import {
  type DecisionLog,
  DecisionLogWriter,
  type LoggedDecision,
  readDecision,
} from '../../replay/index.ts';
import { type RowMap, readRows, type SourceRow } from '../feed/index.ts';
import type { PolicyOfDecision } from './policy-file.ts';

export interface ReadLog {
  readonly log: DecisionLog;
  /** Rows of the file. */
  readonly read: number;
  readonly rejected: number;
  readonly firstRejects: readonly { readonly row: number; readonly problem: string }[];
}

const mostRejectsKept = 10;

/**
 * Reads logged decisions out of a file (`-`: standard input), row by row. `policy` is asked about each of them, where it
 * is a function. Throws `file_unreadable` where not one row is a decision.
 */
export async function readLog(file: string, map: RowMap, policy: PolicyOfDecision | null): Promise<ReadLog> {
  const writer = new DecisionLogWriter();
  const firstRejects: { row: number; problem: string }[] = [];
  let read = 0;
  let taken = 0;
  let rejected = 0;
  const source = file === '-' ? process.stdin : createReadStream(resolve(file));
  for await (const { row, value, problem } of rowsOf(source, file)) {
    read++;
    const found = problem === undefined ? decisionsOf(value, row, map, policy) : [{ problem }];
    for (const one of found) {
      if ('problem' in one) {
        rejected++;
        if (firstRejects.length < mostRejectsKept) firstRejects.push({ row: row + 1, problem: one.problem });
      } else {
        taken++;
        writer.add(one);
      }
    }
  }
  if (taken === 0) {
    const first = firstRejects[0];
    const why =
      first === undefined
        ? 'it is empty'
        : `row ${first.row}: ${first.problem}. A mapping module (--map) makes a decision of a row: { action, propensity, reward }`;
    throw new PresageError('file_unreadable', `${file} has no logged decisions: ${why}.`);
  }
  const log = writer.finish();
  if (log.rows === 0)
    throw new PresageError(
      'file_unreadable',
      `${file}: all ${taken} decisions are marked deterministic. Where nothing is drawn, nothing can be told of another policy.`,
    );
  return { log, read, rejected, firstRejects };
}

/** A file that is not there, or no file, is the caller's mistake like one that can't be parsed. */
async function* rowsOf(source: Readable, name: string): AsyncGenerator<SourceRow> {
  try {
    yield* readRows(source, { name, format: null });
  } catch (error) {
    if (error instanceof PresageError) throw error;
    throw new PresageError('file_unreadable', `${name} could not be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

type Found = LoggedDecision | { readonly problem: string };

/** The decisions of one row, or why there are none. Never throws. */
function decisionsOf(
  value: Record<string, unknown>,
  row: number,
  map: RowMap,
  policy: PolicyOfDecision | null,
): Found[] {
  try {
    const result = map(value, { fileHash: '', row });
    if (result === null || result === undefined) return [];
    const list: unknown[] = Array.isArray(result) ? result : [result];
    return list.map((one) => {
      const decision = readDecision(one);
      if (policy === null || 'problem' in decision) return decision;
      // Read again, since what the policy says is a map of probabilities like any other.
      return readDecision({ ...decision, policy: policy(decision, value) });
    });
  } catch (error) {
    return [{ problem: `the mapping or policy module failed: ${messageOf(error)}` }];
  }
}
