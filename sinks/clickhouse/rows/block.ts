import type { BatchReport, OutboxEntry } from '../../../schemas/index.ts';
import type { LogRecord } from '../../../stream/log/port.ts';
import { rowOfDeadLetter } from './dead-letter.ts';
import { rowOfDecision } from './decision.ts';
import { type Finding, type Row, rowOfRecord } from './event.ts';
import { type TableName, tableNames } from './tables.ts';
import { lineOf } from './well-formed.ts';

/** Rows of one table, ready to insert. */
export interface TableRows {
  readonly table: TableName;
  readonly rows: number;
  readonly ndjson: Buffer;
}

/** Records between two turns of the event loop: about 2 ms of work. */
const slice = 200;

export interface BlockContent {
  readonly partition: number;
  readonly entries: readonly OutboxEntry[];
  /** The records of all `batch` entries, in order. */
  readonly records: readonly LogRecord[];
  /** Version of a decision by its outbox offset. */
  readonly versionOf: (offset: number) => bigint;
}

/**
 * The rows of a block, by table, in the order of log and outbox. Gives way to others (`yieldTurn`) every few records:
 * decisions are made on the same event loop.
 */
export async function rowsOfBlock(
  content: BlockContent,
  yieldTurn: () => Promise<void>,
): Promise<TableRows[]> {
  const tables = new Map<TableName, { lines: string[]; parts: Buffer[]; rows: number }>();
  let sinceYield = 0;
  const add = async ({ table, row }: Row): Promise<void> => {
    let rows = tables.get(table);
    if (rows === undefined) {
      rows = { lines: [], parts: [], rows: 0 };
      tables.set(table, rows);
    }
    rows.lines.push(lineOf(row));
    rows.rows++;
    if (++sinceYield < slice) return;
    sinceYield = 0;
    for (const each of tables.values()) encode(each);
    await yieldTurn();
  };

  for (const entry of content.entries) {
    if (entry.kind === 'decision') await add(rowOfDecision(entry.decision, content.versionOf(entry.offset)));
    if (entry.kind === 'dead') await add(rowOfDeadLetter(entry.dead));
  }
  const findings = findingsOf(content.entries);
  for (const record of content.records) {
    const finding = findings(record.offset);
    if (finding !== null) await add(rowOfRecord(content.partition, record, finding));
  }
  return tableNames.flatMap((table) => {
    const rows = tables.get(table);
    if (rows === undefined) return [];
    encode(rows);
    return [{ table, rows: rows.rows, ndjson: Buffer.concat(rows.parts) }];
  });
}

function encode(rows: { lines: string[]; parts: Buffer[] }): void {
  if (rows.lines.length === 0) return;
  rows.parts.push(Buffer.from(rows.lines.join(''), 'utf8'));
  rows.lines = [];
}

/** What the commits say of a record; null: it has no row here (it is among the dead letters, or in no batch). */
function findingsOf(entries: readonly OutboxEntry[]): (position: number) => Finding | null {
  const batches = entries.flatMap((entry) => (entry.kind === 'batch' ? [lookupOf(entry.batch)] : []));
  let at = 0;
  return (position) => {
    while (at < batches.length && position > (batches[at]?.last ?? -1)) at++;
    const batch = batches[at];
    if (batch === undefined || position < batch.first || batch.dead.has(position)) return null;
    return {
      isDuplicate: batch.duplicates.has(position),
      lateMs: batch.late.get(position) ?? 0,
      isClamped: batch.clamped.has(position),
    };
  };
}

const lookupOf = (batch: BatchReport) => ({
  first: batch.first,
  last: batch.last,
  dead: new Set(batch.dead),
  duplicates: new Set(batch.duplicates),
  late: new Map(batch.late),
  clamped: new Set(batch.clamped),
});
