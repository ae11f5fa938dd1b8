import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { loadRowMap } from '../../app/feed/map.ts';

/** One event of the log, and the list that a click-out was made from. */
export interface LoggedEvent {
  readonly id: string;
  readonly type: string;
  readonly user: string;
  readonly session: string;
  readonly time: number;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly list: readonly Listed[];
}

/** One hotel of a list, as whoever asks for a ranking would describe it: nothing of what the person did. */
export interface Listed {
  readonly item: string;
  readonly position: number;
  readonly price: number;
}

/** The log by time; rows of the same second in the order of the file. */
export async function readLog(file: string, workspaceFolder: string): Promise<readonly LoggedEvent[]> {
  const map = await loadRowMap(join(workspaceFolder, 'map.mjs'));
  const events: LoggedEvent[] = [];
  const rows = createReadStream(file)
    .pipe(createGunzip())
    .pipe(parse({ columns: true }));
  for await (const row of rows as AsyncIterable<Record<string, string>>) {
    const index = events.length;
    const event = map(row, { fileHash: '', row: index }) as {
      type: string;
      userId: string;
      session: string;
      time: number;
      properties: Record<string, unknown>;
    };
    events.push({
      id: `${index}`,
      type: event.type,
      user: event.userId,
      session: event.session,
      time: event.time,
      properties: event.properties,
      list: listOf(row),
    });
  }
  return events.sort((a, b) => a.time - b.time);
}

function listOf({ impressions = '', prices = '' }: Record<string, string>): Listed[] {
  if (impressions === '') return [];
  const price = prices.split('|');
  return impressions
    .split('|')
    .map((item, index) => ({ item, position: index + 1, price: Number.parseFloat(price[index] ?? '') }));
}
