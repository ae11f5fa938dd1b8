import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventLog, LogRecord, NewRecord, PartitionReader, Subscription } from './port.ts';

export interface LogUnderTest {
  /** A log with nothing in it, 3 partitions, and append time from `now`. */
  fresh(now: () => number): Promise<EventLog>;
  /** Whose clock gives append times; the caller's (`now`) if left out. */
  readonly appendTime?: 'caller' | 'server';
  stop(): Promise<void>;
}

const waitMs = 60_000;

/** What every EventLog keeps, whatever it is made of. */
export function logContract(name: string, prepare: () => Promise<LogUnderTest>): void {
  describe(`${name} as an event log`, () => {
    let subject: LogUnderTest;
    let time = 0;
    const logs: EventLog[] = [];
    beforeAll(async () => {
      subject = await prepare();
    });
    afterAll(async () => {
      for (const log of logs) await log.close();
      await subject.stop();
    });
    const fresh = async (): Promise<EventLog> => {
      const log = await subject.fresh(() => time);
      logs.push(log);
      return log;
    };

    it('gives the records of a partition the offsets 0, 1, 2...', async () => {
      const log = await fresh();
      expect(await log.append([record(0, 'a'), record(1, 'b'), record(0, 'c')])).toEqual([0, 0, 1]);
      expect(await log.append([record(1, 'd')])).toEqual([1]);
      expect(await log.range(0)).toEqual({ start: 0, end: 2 });
      expect(await log.range(2)).toEqual({ start: 0, end: 0 });
    });

    it('gives back key, bytes and append time unchanged', async () => {
      const log = await fresh();
      time = 1_700_000_000_123;
      const bytes = Buffer.from([0, 255, 10, 13, 128]);
      const before = Date.now();
      await log.append([{ partition: 0, key: 'zoë ✓', value: bytes }]);
      const [read] = await readAll(log, 0, 1);
      expect(read).toMatchObject({ offset: 0, key: 'zoë ✓', value: bytes });
      if (subject.appendTime === 'server') {
        expect(read?.appendedAt).toBeGreaterThanOrEqual(before);
        expect(read?.appendedAt).toBeLessThanOrEqual(Date.now());
      } else expect(read?.appendedAt).toBe(time);
      expect(read?.bytes.subarray(read.from, read.to)).toEqual(bytes);
    });

    it('appends nothing for no records', async () => {
      const log = await fresh();
      expect(await log.append([])).toEqual([]);
      expect(await log.range(0)).toEqual({ start: 0, end: 0 });
    });

    it('keeps the order of calls that were not awaited', async () => {
      const log = await fresh();
      const calls = Array.from({ length: 300 }, (_, i) =>
        log.append([record(0, `first ${i}`), record(0, `second ${i}`)]),
      );
      const offsets = await Promise.all(calls);
      expect(offsets).toEqual(calls.map((_, i) => [2 * i, 2 * i + 1]));
      const read = await readAll(log, 0, 600);
      expect(read.map(({ key }) => key)).toEqual(calls.flatMap((_, i) => [`first ${i}`, `second ${i}`]));
    });

    it('keeps nothing of a call with a record that can never be kept', async () => {
      const log = await fresh();
      const outside = log.append([record(0, 'good'), record(3, 'no such partition')]);
      await expect(outside).rejects.toMatchObject({ code: 'log_invalid', retriable: false });
      const huge = log.append([record(0, 'good'), { partition: 0, key: 'x', value: Buffer.alloc(2 ** 21) }]);
      await expect(huge).rejects.toMatchObject({ code: 'log_invalid', retriable: false });
      expect(await log.range(0)).toEqual({ start: 0, end: 0 });
    });

    it('begins each reader at the offset it asks for, and reads at most what it asks for', async () => {
      const log = await fresh();
      await log.append(Array.from({ length: 10 }, (_, i) => record(0, `k${i}`)));
      const { reader } = await readerOf(log, 0, 4);
      expect((await reader.next(3, waitMs)).map(({ offset }) => offset)).toEqual([4, 5, 6]);
      expect((await reader.next(100, waitMs)).map(({ offset }) => offset)).toEqual([7, 8, 9]);
    });

    it('waits for the first record, and answers [] when none comes', async () => {
      const log = await fresh();
      const { reader } = await readerOf(log, 0, 0);
      expect(await reader.next(10, 20)).toEqual([]);
      const waiting = reader.next(10, waitMs);
      await log.append([record(0, 'late')]);
      expect((await waiting).map(({ key }) => key)).toEqual(['late']);
    });

    it('reads large backlogs completely, in order', async () => {
      const log = await fresh();
      for (let i = 0; i < 10; i++)
        await log.append(Array.from({ length: 1_000 }, (_, j) => record(0, `${i * 1_000 + j}`)));
      const read = await readAll(log, 0, 10_000);
      expect(read.map(({ offset }) => offset)).toEqual(read.map((_, i) => i));
      expect(read.map(({ key }) => key)).toEqual(read.map((_, i) => `${i}`));
    });

    it('assigns every partition once, or those that were asked for', async () => {
      const log = await fresh();
      const all: number[] = [];
      const some: number[] = [];
      const common = { group: 'g', startAt: async () => 0, onRevoked: () => {} };
      const one = await log.subscribe({ ...common, onAssigned: (reader) => all.push(reader.partition) });
      const two = await log.subscribe({
        ...common,
        partitions: [2],
        onAssigned: (reader) => some.push(reader.partition),
      });
      expect(all).toEqual([0, 1, 2]);
      expect(some).toEqual([2]);
      await one.stop();
      await two.stop();
    });

    it('forgets what is trimmed and counts on', async () => {
      const log = await fresh();
      await log.append(Array.from({ length: 250 }, (_, i) => record(0, `k${i}`)));
      await log.trim(0, 103);
      expect(await log.range(0)).toEqual({ start: 103, end: 250 });
      await log.trim(0, 250);
      expect(await log.range(0)).toEqual({ start: 250, end: 250 });
      expect(await log.append([record(0, 'next')])).toEqual([250]);
      await log.trim(0, 10);
      expect(await log.range(0)).toEqual({ start: 250, end: 251 });
    });

    it('says so when the wanted record was trimmed', async () => {
      const log = await fresh();
      await log.append(Array.from({ length: 20 }, (_, i) => record(0, `k${i}`)));
      await log.trim(0, 10);
      const { reader } = await readerOf(log, 0, 5);
      await expect(reader.next(1, waitMs)).rejects.toMatchObject({
        code: 'log_position_lost',
        details: { offset: 5, start: 10, end: 20 },
      });
    });

    it('says so when the wanted offset is beyond the end', async () => {
      const log = await fresh();
      await log.append([record(0, 'only')]);
      const { reader } = await readerOf(log, 0, 7);
      await expect(reader.next(1, 20)).rejects.toMatchObject({ code: 'log_position_lost', retriable: false });
    });

    it('ends a waiting reader when its subscription stops', async () => {
      const log = await fresh();
      const { reader, subscription } = await readerOf(log, 0, 0);
      const waiting = reader.next(1, 60_000);
      await subscription.stop();
      expect(await waiting).toEqual([]);
      expect(await reader.next(1, 60_000)).toEqual([]);
    });

    it('begins a partition anew where it is asked to, and ends the reader handed out before', async () => {
      const log = await fresh();
      await log.append(Array.from({ length: 10 }, (_, i) => record(0, `k${i}`)));
      const readers: PartitionReader[] = [];
      const starts = [2, 5];
      const subscription = await log.subscribe({
        group: 'contract',
        partitions: [0],
        startAt: async () => starts.shift()!,
        onAssigned: (reader) => readers.push(reader),
        onRevoked: () => {},
      });
      expect((await readers[0]!.next(2, waitMs)).map(({ offset }) => offset)).toEqual([2, 3]);
      await subscription.restart(0);
      expect(await readers[0]!.next(2, 0)).toEqual([]);
      expect((await readers[1]!.next(2, waitMs)).map(({ offset }) => offset)).toEqual([5, 6]);
      await subscription.restart(1);
      expect(readers).toHaveLength(2);
      await subscription.stop();
    });

    it('ends the readers handed out when it cannot assign the others', async () => {
      const log = await fresh();
      let reader: PartitionReader | undefined;
      const subscribing = log.subscribe({
        group: 'contract',
        startAt: async (partition) => {
          if (partition < 2) return 0;
          throw new Error('no position');
        },
        onAssigned: (assigned) => {
          reader = assigned;
        },
        onRevoked: () => {},
      });
      await expect(subscribing).rejects.toThrow('no position');
      expect(await reader!.next(1, 600_000)).toEqual([]);
    });

    it('gives each subscription all records', async () => {
      const log = await fresh();
      await log.append([record(0, 'a'), record(0, 'b')]);
      const worker = await readerOf(log, 0, 0);
      const sink = await readerOf(log, 0, 0);
      expect(await worker.reader.next(10, waitMs)).toEqual(await sink.reader.next(10, waitMs));
    });
  });
}

const record = (partition: number, key: string): NewRecord => ({
  partition,
  key,
  value: Buffer.from(`value of ${key}`),
});

/** A reader of one partition from `from` on. */
export async function readerOf(
  log: EventLog,
  partition: number,
  from: number,
): Promise<{ reader: PartitionReader; subscription: Subscription }> {
  let reader: PartitionReader | undefined;
  const subscription = await log.subscribe({
    group: 'contract',
    partitions: [partition],
    startAt: async () => from,
    onAssigned: (assigned) => {
      reader = assigned;
    },
    onRevoked: () => {},
  });
  return { reader: reader!, subscription };
}

/** The first `count` records of a partition. */
export async function readAll(log: EventLog, partition: number, count: number): Promise<LogRecord[]> {
  const { reader, subscription } = await readerOf(log, partition, 0);
  const records: LogRecord[] = [];
  while (records.length < count) {
    const read = await reader.next(777, waitMs);
    if (read.length === 0) break;
    records.push(...read);
  }
  await subscription.stop();
  return records;
}
