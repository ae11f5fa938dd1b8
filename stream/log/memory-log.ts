import { type Clock, PresageError } from '../../core/index.ts';
import { checkRecords, logFull, positionLost } from './checks.ts';
import type { EventLog, LogRange, LogRecord, NewRecord, PartitionReader } from './port.ts';
import { recordOf } from './record.ts';

export interface MemoryLogOptions {
  readonly partitions: number;
  readonly clock: Clock;
  /** Above so many bytes of keys and values, append refuses; default 64 MiB. */
  readonly maxBytes?: number;
}

interface PartitionMemory {
  start: number;
  records: LogRecord[];
  readonly waiting: Set<() => void>;
}

/** The log in memory, for tests: the same answers as Redis Streams, gone with the process. */
export function memoryLog(options: MemoryLogOptions): EventLog {
  const maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
  const partitions = Array.from(
    { length: options.partitions },
    (): PartitionMemory => ({ start: 0, records: [], waiting: new Set() }),
  );
  let bytes = 0;
  let isClosed = false;

  const of = (partition: number): PartitionMemory => {
    const memory = partitions[partition];
    if (memory === undefined) throw new PresageError('log_invalid', `The log has no partition ${partition}.`);
    return memory;
  };
  const rangeOf = ({ start, records }: PartitionMemory): LogRange => ({ start, end: start + records.length });

  function readerOf(partition: number, from: number, isStopped: () => boolean): PartitionReader {
    const memory = of(partition);
    let next = from;
    return {
      partition,
      async next(limit, waitMs) {
        if (isStopped() || isClosed) return [];
        if (next === rangeOf(memory).end && waitMs > 0) await nextRecord(memory, waitMs);
        const range = rangeOf(memory);
        if (next < range.start || next > range.end) throw positionLost(partition, next, range);
        if (isStopped() || isClosed) return [];
        const records = memory.records.slice(next - memory.start, next - memory.start + limit);
        next += records.length;
        return records;
      },
    };
  }

  return {
    partitions: options.partitions,
    async append(records, isWayOut = false) {
      checkRecords(records, options.partitions);
      if (isClosed) throw new PresageError('log_unavailable', 'The log was closed.', { retriable: true });
      const added = records.reduce((sum, record) => sum + sizeOf(record), 0);
      if (!isWayOut && bytes + added > maxBytes)
        throw logFull(`it holds ${bytes} of at most ${maxBytes} bytes`);
      bytes += added;
      const appendedAt = options.clock.now();
      return records.map(({ partition, key, value }) => {
        const memory = of(partition);
        const { end: offset } = rangeOf(memory);
        memory.records.push(recordOf(offset, appendedAt, key, value));
        for (const wake of memory.waiting) wake();
        return offset;
      });
    },
    async range(partition) {
      return rangeOf(of(partition));
    },
    async subscribe({ partitions: wanted, startAt, onAssigned }) {
      /** The reader that counts, by partition; those before it have ended. */
      const current = new Map<number, symbol>();
      const assign = async (partition: number): Promise<void> => {
        const reader = Symbol(partition);
        current.set(partition, reader);
        wakeAll(partitions);
        onAssigned(readerOf(partition, await startAt(partition), () => current.get(partition) !== reader));
      };
      const stop = async (): Promise<void> => {
        current.clear();
        wakeAll(partitions);
      };
      try {
        for (const partition of wanted ?? partitions.keys()) await assign(partition);
      } catch (error) {
        await stop();
        throw error;
      }
      return {
        async restart(partition) {
          if (current.has(partition)) await assign(partition);
        },
        stop,
      };
    },
    async trim(partition, offset) {
      const memory = of(partition);
      const gone = memory.records.splice(0, Math.max(0, offset - memory.start));
      memory.start += gone.length;
      bytes -= gone.reduce((sum, record) => sum + sizeOf(record), 0);
    },
    async close() {
      isClosed = true;
      wakeAll(partitions);
    },
  };
}

const sizeOf = (record: Pick<NewRecord, 'key' | 'value'>): number =>
  Buffer.byteLength(record.key) + record.value.length;

function wakeAll(partitions: readonly PartitionMemory[]): void {
  for (const { waiting } of partitions) for (const wake of waiting) wake();
}

function nextRecord(memory: PartitionMemory, waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      memory.waiting.delete(wake);
      resolve();
    };
    const timer = setTimeout(wake, waitMs);
    memory.waiting.add(wake);
  });
}
