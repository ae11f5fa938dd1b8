import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RunWriter } from './run.ts';
import { ExternalSorter } from './sorter.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'presage-sort-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Pair = readonly [key: number, payload: string];

async function sortedBy(sorter: ExternalSorter, records: readonly Pair[]): Promise<Pair[]> {
  for (const [key, payload] of records) await sorter.add(key, payload);
  const out: Pair[] = [];
  for await (const { key, payload } of sorter.sorted()) out.push([key, payload.toString()]);
  return out;
}

describe('sorting more than memory holds', () => {
  it('equals a stable sort in memory, whatever the sizes, keys and bounds', async () => {
    const record = fc.tuple(
      fc.oneof(fc.integer({ min: 0, max: 3 }), fc.double({ noNaN: true })),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { maxLength: 120 }),
        fc.integer({ min: 30, max: 2_000 }),
        fc.integer({ min: 2, max: 5 }),
        async (records, memoryBytes, fanIn) => {
          const sorter = new ExternalSorter({ folder, memoryBytes, fanIn, diskBytes: 1e9 });
          const sorted = await sortedBy(sorter, records);
          await sorter.close();
          expect(sorted).toEqual(records.toSorted(([a], [b]) => a - b));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('reads records longer than a block', async () => {
    const sorter = new ExternalSorter({ folder, memoryBytes: 100_000, fanIn: 2, diskBytes: 1e9 });
    const records = Array.from({ length: 20 }, (_, i): Pair => [-i, String(i).repeat(50_000 + i)]);
    expect(await sortedBy(sorter, records)).toEqual(records.toReversed());
    expect(sorter.runs).toBeGreaterThan(1);
    await sorter.close();
  });

  it('leaves no name in the folder while its files are in use, so a kill leaves nothing behind', async () => {
    const sorter = new ExternalSorter({ folder, memoryBytes: 1_000, fanIn: 8, diskBytes: 1e9 });
    for (let i = 0; i < 200; i++) await sorter.add(-i, 'x'.repeat(50));
    expect(sorter.runs).toBeGreaterThan(3);
    expect(await readdir(folder)).toEqual([]);
    await sorter.close();
  });

  it('stops with a reason at its bound of disk', async () => {
    const sorter = new ExternalSorter({ folder, memoryBytes: 1_000, fanIn: 8, diskBytes: 3_000 });
    const all = Array.from({ length: 200 }, (_, i): Pair => [-i, 'x'.repeat(50)]);
    await expect(sortedBy(sorter, all)).rejects.toMatchObject({ code: 'no_disk_space' });
    await sorter.close();
  });

  it('says what to do when the disk is full', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const create = RunWriter.create.bind(RunWriter);
    vi.spyOn(RunWriter, 'create').mockImplementation(async (path) => {
      const writer = await create(path);
      vi.spyOn(writer, 'finish').mockRejectedValue(full);
      return writer;
    });
    const sorter = new ExternalSorter({ folder, memoryBytes: 1_000, fanIn: 8, diskBytes: 1e9 });
    const all = Array.from({ length: 50 }, (_, i): Pair => [-i, 'x'.repeat(50)]);
    await expect(sortedBy(sorter, all)).rejects.toMatchObject({
      code: 'no_disk_space',
      message: expect.stringMatching(/^The disk of .* is full: .*Make room/),
    });
    vi.restoreAllMocks();
    await sorter.close();
  });
});
