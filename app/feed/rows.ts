import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { PresageError } from '../../core/index.ts';

export type RowFormat = 'csv' | 'jsonl';

/** One parsed row of the source: `row` counts data rows from 0; `problem` says why it could not be parsed. */
export type SourceRow =
  | { readonly row: number; readonly value: Record<string, unknown>; readonly problem?: never }
  | { readonly row: number; readonly problem: string; readonly value?: never };

/** Rows of a CSV (with a header line) or JSON-lines stream, gzipped or not; told apart by their first bytes. */
export async function* readRows(
  source: Readable,
  options: { name: string; format: RowFormat | null },
): AsyncGenerator<SourceRow> {
  const head = await firstBytes(source);
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  let text: Readable = source;
  if (isGzip) {
    text = source.pipe(createGunzip());
    source.on('error', (error) => text.destroy(error));
  }
  let format = options.format;
  try {
    const start = (isGzip ? await firstBytes(text) : head).toString('utf8').trimStart();
    if (format === null && start.startsWith('['))
      throw new Error('it begins like a JSON array; write one object a line, as `jq -c ".[]"` does');
    format ??= start.startsWith('{') ? 'jsonl' : 'csv';
    yield* format === 'csv' ? readCsv(text) : readJsonLines(text);
  } catch (error) {
    const parts = [isGzip ? 'gzip' : '', format === null ? '' : format === 'csv' ? 'CSV' : 'JSON lines'];
    const what = parts.filter(Boolean).join(' of ') || 'events';
    throw new PresageError(
      'file_unreadable',
      `${options.name} could not be read as ${what}: ${sentenceOf(error)}`,
      { cause: error },
    );
  }
}

/** What a parser says, without the file's own bytes: a quoted cell of a binary file can be megabytes long. */
function sentenceOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.length > 160 ? `${message.slice(0, 160)}...` : message;
}

/** Looks at the beginning without taking it out of the stream. */
async function firstBytes(stream: Readable): Promise<Buffer> {
  for (;;) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) {
      stream.unshift(chunk);
      return chunk.subarray(0, 64);
    }
    if (stream.readableEnded || stream.destroyed) return Buffer.alloc(0);
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error) => {
        stream.off('readable', settle as () => void);
        stream.off('end', settle as () => void);
        stream.off('error', settle);
        if (error instanceof Error) reject(error);
        else resolve();
      };
      stream.on('readable', settle as () => void);
      stream.on('end', settle as () => void);
      stream.on('error', settle);
    });
  }
}

async function* readCsv(text: Readable): AsyncGenerator<SourceRow> {
  const parser = text.pipe(
    parse({
      columns: columnsOf,
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
      info: true,
      // A quote that is never closed would take the rest of the file into memory.
      max_record_size: longestLine,
    }),
  );
  text.on('error', (error) => parser.destroy(error));
  let row = 0;
  for await (const parsed of parser) {
    const { record, info } = parsed as { record: Record<string, unknown>; info: { error?: Error } };
    // A row of another width than the header's would put values under the wrong names.
    yield info.error ? { row: row++, problem: sentenceOf(info.error) } : { row: row++, value: record };
  }
}

/** Two columns of one name would be one value, without a word. */
function columnsOf(header: string[]): string[] {
  const twice = header.find((name, i) => name !== '' && header.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`its header has the column ${JSON.stringify(twice)} twice`);
  return header;
}

async function* readJsonLines(text: Readable): AsyncGenerator<SourceRow> {
  let row = 0;
  for await (const line of linesOf(text)) {
    // A byte order mark counts as a blank.
    const json = line.trim();
    if (json === '') continue;
    try {
      const value: unknown = JSON.parse(json);
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw new Error('a line is not an object');
      yield { row, value: value as Record<string, unknown> };
    } catch (error) {
      yield { row, problem: sentenceOf(error) };
    }
    row++;
  }
}

/** Longer lines are no events of ours; they would only fill memory. */
const longestLine = 1_000_000;

async function* linesOf(text: Readable): AsyncGenerator<string> {
  let rest = '';
  text.setEncoding('utf8');
  for await (const chunk of text) {
    const lines = (rest + (chunk as string)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > longestLine) throw new Error(`a line is longer than ${longestLine} characters`);
    yield* lines;
  }
  if (rest !== '') yield rest;
}
