import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RowMap, rowIsEvent } from './map.ts';
import { type PlannedEvent, type PlanOptions, planFeed } from './plan.ts';
import { type FeedSource, fileSource, spoolSource } from './source.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-plan-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** 2,000 rows in which times repeat, run backwards and 20 ids stand twice. */
const rows = Array.from({ length: 2_000 }, (_, i) => ({
  ...(i % 100 === 0 ? { id: `known-${i % 1_000}` } : {}),
  type: 'view',
  userId: `u${i % 7}`,
  time: 1_700_000_000_000 + ((i * 7_919) % 500) * 1_000,
  properties: { i },
}));
const text = `${rows.map((row) => JSON.stringify(row)).join('\n')}\n{"no":"event"}\n`;

const optionsOf = (memoryBytes: number, more: Partial<PlanOptions> = {}): PlanOptions => ({
  name: 'x',
  map: rowIsEvent,
  order: 'time',
  format: null,
  sort: { folder: join(folder, 'tmp'), memoryBytes, diskBytes: 1e9, fanIn: 4 },
  signal: new AbortController().signal,
  ...more,
});

async function planned(source: FeedSource, options: PlanOptions, first = 0) {
  const plan = await planFeed(source, options);
  if (plan === null) throw new Error('interrupted');
  const events: PlannedEvent[] = [];
  for await (const event of plan.from(first)) events.push(event);
  await plan.close();
  await source.close();
  return { ...plan, events };
}

describe('a plan of a file larger than the memory for sorting', () => {
  it('is the same as one made in memory: order, ids, repeats and rejects', async () => {
    const path = join(folder, 'file.jsonl');
    await writeFile(path, text);
    const inMemory = await planned(fileSource(path), optionsOf(1e9));
    const onDisk = await planned(fileSource(path), optionsOf(4_000));
    expect(inMemory.runs).toBe(0);
    expect(onDisk.runs).toBeGreaterThan(4);
    expect(onDisk.events).toEqual(inMemory.events);
    expect(onDisk.events.map(({ event }) => event.time)).toEqual(
      rows.map(({ time }) => time).toSorted((a, b) => a - b),
    );
    for (const { rows: count, repeats, rejectedCount } of [inMemory, onDisk])
      expect([count, repeats, rejectedCount]).toEqual([2_001, 10, 1]);
  });

  it('goes on from any event of it, so an interrupted feed sends the rest in the same order', async () => {
    const path = join(folder, 'file.jsonl');
    await writeFile(path, text);
    const whole = await planned(fileSource(path), optionsOf(4_000));
    const rest = await planned(fileSource(path), optionsOf(9_000), 1_234);
    expect(rest.events).toEqual(whole.events.slice(1_234));
  });

  it('keeps the order of the file when told to', async () => {
    const path = join(folder, 'file.jsonl');
    await writeFile(path, text);
    const { events } = await planned(fileSource(path), optionsOf(4_000, { order: 'file' }));
    expect(events.map(({ row }) => row)).toEqual(rows.map((_, i) => i));
  });

  it('reads gzip from standard input, and leaves no file of it', async () => {
    const path = join(folder, 'file.gz');
    await writeFile(path, gzipSync(text));
    const fromFile = await planned(fileSource(path), optionsOf(1e9));
    const tmp = join(folder, 'tmp');
    const spool = await spoolSource(Readable.from([gzipSync(text)]), tmp);
    expect(await readdir(tmp)).toEqual([]);
    expect((await planned(spool, optionsOf(4_000))).events).toEqual(fromFile.events);
  });

  it('rejects what a mapping module makes that JSON can not hold', async () => {
    const path = join(folder, 'file.jsonl');
    await writeFile(path, '{"n":1}\n{"n":2}\n{"n":3}\n');
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const properties = [{ big: 1n }, circle, { fine: 1 }];
    const map: RowMap = (_, { row }) => ({ type: 'view', userId: 'u', time: 1, properties: properties[row] });
    const { events, rejects } = await planned(fileSource(path), optionsOf(1e9, { map }));
    expect(events.map(({ row }) => row)).toEqual([2]);
    expect(rejects.map(({ row, code }) => [row, code])).toEqual([
      [0, 'not_an_event'],
      [1, 'not_an_event'],
    ]);
  });

  it('ends when it is interrupted', async () => {
    const path = join(folder, 'file.jsonl');
    await writeFile(path, text);
    expect(await planFeed(fileSource(path), optionsOf(4_000, { signal: AbortSignal.abort() }))).toBeNull();
  });
});
