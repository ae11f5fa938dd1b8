import type { BatchReport, OutboxEntry } from '../../../schemas/index.ts';
import type { LogRecord } from '../../../stream/log/port.ts';
import type { Turn } from '../turn.ts';
import { rowOfDeadLetter } from './dead-letter.ts';
import { rowOfDecision } from './decision.ts';
import { type Finding, type Row, rowsOfRecord } from './event.ts';
import { type Lines, linesBuffer } from './lines.ts';
import { type TableName, tableNames } from './tables.ts';
import { lineOf } from './well-formed.ts';

/** Rows of one table, ready to insert. */
export interface TableRows {
  readonly table: TableName;
  readonly rows: number;
  readonly ndjson: Buffer;
}

export interface BlockContent {
  readonly partition: number;
  readonly entries: readonly OutboxEntry[];
  /** The records of all `batch` entries, in order. */
  readonly records: readonly LogRecord[];
  /** Version of a decision by its outbox offset. */
  readonly versionOf: (offset: number) => bigint;
}

/** The rows of a block, by table, in the order of outbox and log. */
export async function rowsOfBlock(content: BlockContent, turn: Turn): Promise<TableRows[]> {
  const tables = new Map<TableName, Lines>();
  const add = ({ table, row }: Row): void => {
    let lines = tables.get(table);
    if (lines === undefined) {
      lines = linesBuffer();
      tables.set(table, lines);
    }
    lines.add(lineOf(row));
  };

  for (const entry of content.entries) {
    if (turn.isOver()) await turn.next();
    if (entry.kind === 'decision') add(rowOfDecision(entry.decision, content.versionOf(entry.offset)));
    if (entry.kind === 'dead') add(rowOfDeadLetter(entry.dead));
  }
  const findings = findingsOf(content.entries);
  for (const record of content.records) {
    if (turn.isOver()) await turn.next();
    const finding = findings(record.offset);
    if (finding !== null) for (const row of rowsOfRecord(content.partition, record, finding)) add(row);
  }
  return tableNames.flatMap((table) => {
    const lines = tables.get(table);
    return lines === undefined ? [] : [{ table, rows: lines.count, ndjson: lines.bytes() }];
  });
}

/** What the commits say of a record; null: it has no row here. */
export function findingsOf(entries: readonly OutboxEntry[]): (position: number) => Finding | null {
  const batches = entries.flatMap((entry) => (entry.kind === 'batch' ? [lookupOf(entry.batch)] : []));
  let at = 0;
  return (position) => {
    while (at < batches.length && position > (batches[at]?.last ?? -1)) at++;
    const batch = batches[at];
    if (batch === undefined || position < batch.first || batch.without.has(position)) return null;
    return {
      isDuplicate: batch.duplicates.has(position),
      isForwarded: batch.forwarded.has(position),
      lateMs: batch.late.get(position) ?? 0,
      isClamped: batch.clamped.has(position),
    };
  };
}

const lookupOf = (batch: BatchReport) => ({
  first: batch.first,
  last: batch.last,
  // Dead letters have rows of their own; what was brought again has its row where it arrived first.
  without: new Set([...batch.dead, ...(batch.redelivered ?? [])]),
  forwarded: new Set(batch.forwarded ?? []),
  duplicates: new Set(batch.duplicates),
  late: new Map(batch.late),
  clamped: new Set(batch.clamped),
});
