import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { PresageError } from '../../core/index.ts';
import { quoted } from '../../stream/features/sql/index.ts';
import { mapRow, type RowMap } from '../feed/index.ts';
import { type RowFormat, readRows } from '../feed/rows.ts';
import type { Ask } from '../parity/port.ts';
import { type EventProfile, observe } from './profile.ts';

export interface Observed {
  readonly events: number;
  readonly rejected: number;
  /** Why the first row was no event. */
  readonly firstReject: string | null;
}

/** Observes the events of a file, row by row as `presage feed` reads them; `-` is standard input. */
export async function observeFile(
  profile: EventProfile,
  path: string,
  options: { readonly name: string; readonly map: RowMap; readonly format: RowFormat | null },
): Promise<Observed> {
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => path === '-',
  );
  if (!isFile && path !== '-') throw new PresageError('file_unreadable', `There is no file ${options.name}.`);
  const source: Readable = path === '-' ? process.stdin : createReadStream(path);
  let events = 0;
  let rejected = 0;
  let firstReject: string | null = null;
  for await (const row of readRows(source, options)) {
    for (const mapped of mapRow(row, options.map, 'infer')) {
      if (mapped.kind === 'event') {
        events++;
        observe(profile, mapped.event.type, mapped.event.properties);
      } else {
        rejected++;
        firstReject ??= `row ${mapped.row + 1}: ${mapped.message}`;
      }
    }
  }
  return { events, rejected, firstReject };
}

export interface StoredTypes {
  /** Stored events by type, the observed ones and the others. */
  readonly totals: ReadonlyMap<string, number>;
  readonly observed: number;
}

/** Rows of one answer: at 32 KB an event at most, half of what one may hold (queryLimits). */
const page = 500;
const mostTypesAsked = 500;

/** Observes stored events: of each type at most `sample`, chosen evenly by the hash of their ids. */
export async function observeStored(
  profile: EventProfile,
  ask: Ask,
  options: { readonly sample: number; readonly tenant: string | null },
): Promise<StoredTypes> {
  const tenant = options.tenant === null ? '' : ` AND tenant = ${quoted(options.tenant)}`;
  const types = await ask<Record<string, unknown>>(
    `SELECT type, toFloat64(count()) AS seen FROM events WHERE 1${tenant} GROUP BY type ORDER BY seen DESC LIMIT ${mostTypesAsked}`,
  );
  const totals = new Map(types.map(({ type, seen }) => [String(type), Number(seen)]));
  let observed = 0;
  for (const type of totals.keys()) {
    let last = '';
    for (let left = options.sample; left > 0; ) {
      const wanted = Math.min(page, left);
      const after = last === '' ? '' : ` AND (cityHash64(id), id) > ${last}`;
      const rows = await ask<Record<string, unknown>>(
        `SELECT properties, id, toString(cityHash64(id)) AS hash FROM events WHERE type = ${quoted(type)}${tenant}${after} ORDER BY cityHash64(id), id LIMIT ${wanted}`,
      );
      for (const { properties } of rows) observe(profile, type, parse(properties));
      observed += rows.length;
      left -= rows.length;
      const end = rows.at(-1);
      if (rows.length < wanted || end === undefined) break;
      last = `(toUInt64(${quoted(String(end.hash))}), ${quoted(String(end.id))})`;
    }
  }
  return { totals, observed };
}

function parse(properties: unknown): Record<string, unknown> {
  const value: unknown = typeof properties === 'string' ? JSON.parse(properties) : properties;
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
