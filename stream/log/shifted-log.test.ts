import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { manualClock } from '../../tests/support/clock.ts';
import {
  type LogVersion,
  memoryLog,
  nextBase,
  type PartitionReader,
  placeOf,
  shiftedLog,
  versionAt,
} from './index.ts';

const base = 1_000;
const shifted = () => shiftedLog(memoryLog({ partitions: 2, clock: manualClock(5) }), base);
const record = (value: string) => ({ partition: 1, key: 'k', value: Buffer.from(value) });

async function readerAt(log: ReturnType<typeof shifted>, position: number): Promise<PartitionReader> {
  let reader: PartitionReader | null = null;
  await log.subscribe({
    group: 'g',
    partitions: [1],
    startAt: async () => position,
    onAssigned: (assigned) => {
      reader = assigned;
    },
    onRevoked: () => {},
  });
  return reader as unknown as PartitionReader;
}

describe('a log that begins at a base', () => {
  it('tells and takes positions from there on', async () => {
    const log = shifted();
    expect(await log.append([record('a'), record('b'), record('c')])).toEqual([1_000, 1_001, 1_002]);
    expect(await log.range(1)).toEqual({ start: 1_000, end: 1_003 });
    const records = await (await readerAt(log, 1_001)).next(10, 0);
    expect(records.map(({ offset, key, value }) => [offset, key, String(value)])).toEqual([
      [1_001, 'k', 'b'],
      [1_002, 'k', 'c'],
    ]);
    await log.trim(1, 1_002);
    expect(await log.range(1)).toEqual({ start: 1_002, end: 1_003 });
  });

  it('says that a position is lost, in its own positions', async () => {
    const log = shifted();
    await log.append([record('a'), record('b')]);
    await log.trim(1, 1_001);
    for (const position of [0, 999, 1_000, 1_003])
      await expect((await readerAt(log, position)).next(1, 0)).rejects.toMatchObject({
        code: 'log_position_lost',
        details: { partition: 1, offset: position, start: 1_001, end: 1_002 },
      });
  });
});

describe('places of versions that have ended', () => {
  it('are one line, below the next version, and keep the order of each partition', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.nat(8), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
        (counts) => {
          const all: LogVersion[] = [];
          let from = 0;
          const places = new Set<number>();
          let total = 0;
          for (const [index, partitions] of counts.entries()) {
            const version = { version: index + 1, partitions: partitions.length, base: from };
            all.push(version);
            for (const [partition, count] of partitions.entries()) {
              let before = -1;
              for (let position = from; position < from + count; position++) {
                const place = placeOf(version, partition, position);
                expect(place).toBeGreaterThan(before);
                expect(versionAt(all, position)).toBe(version);
                before = place;
                places.add(place);
                total += 1;
              }
            }
            const next = nextBase(
              version,
              partitions.map((count) => from + count),
            );
            for (const place of places) expect(place).toBeLessThan(next);
            from = next;
          }
          expect(places.size).toBe(total);
        },
      ),
    );
  });
});
