import { PresageError } from '../../core/index.ts';
import { positionLost } from './checks.ts';
import type { EventLog, LogRange, LogRecord, PartitionReader } from './port.ts';
import { recordOf, SharedRecord } from './record.ts';

/** A log whose first position is `base` instead of 0: what every position is told as, and asked for. */
export function shiftedLog(log: EventLog, base: number): EventLog {
  if (base === 0) return log;
  async function range(partition: number): Promise<LogRange> {
    const { start, end } = await log.range(partition);
    return { start: start + base, end: end + base };
  }
  const shifted = (reader: PartitionReader, from: number): PartitionReader => ({
    partition: reader.partition,
    async next(limit, waitMs) {
      if (from < base) throw positionLost(reader.partition, from, await range(reader.partition));
      try {
        return (await reader.next(limit, waitMs)).map((record) => shift(record, base));
      } catch (error) {
        if (!(error instanceof PresageError) || error.code !== 'log_position_lost') throw error;
        const { offset } = error.details as { offset: number };
        throw positionLost(reader.partition, offset + base, await range(reader.partition));
      }
    },
  });
  return {
    partitions: log.partitions,
    append: async (records, isWayOut) => (await log.append(records, isWayOut)).map((offset) => offset + base),
    range,
    subscribe(options) {
      /** By partition: where its reader was to begin. */
      const begins = new Map<number, number>();
      return log.subscribe({
        ...options,
        startAt: async (partition) => {
          const position = await options.startAt(partition);
          begins.set(partition, position);
          return Math.max(0, position - base);
        },
        onAssigned: (reader) => options.onAssigned(shifted(reader, begins.get(reader.partition) ?? base)),
      });
    },
    trim: (partition, offset) => log.trim(partition, Math.max(0, offset - base)),
    close: () => log.close(),
  };
}

function shift(record: LogRecord, base: number): LogRecord {
  const offset = record.offset + base;
  return record instanceof SharedRecord
    ? record.at(offset)
    : recordOf(offset, record.appendedAt, record.key, record.value);
}
