import type { EventLog } from '../log/port.ts';
import { frame } from './framing.ts';

/** Ids in the registry, by the schema hash that records carry. */
export interface SchemaIds {
  readonly byHash: ReadonlyMap<string, number>;
  /** Of the schema that every event fits. */
  readonly anyEvent: number;
}

/**
 * A log whose new values are framed in Confluent's format, so that any consumer with a registry can read them. Readers
 * take both: records from before it and framed ones (`jsonStart`).
 */
export function framedLog(log: EventLog, ids: SchemaIds): EventLog {
  const idOf = (schema: string | undefined): number =>
    (schema === undefined ? undefined : ids.byHash.get(schema)) ?? ids.anyEvent;
  return {
    partitions: log.partitions,
    append: (records) =>
      log.append(records.map((record) => ({ ...record, value: frame(idOf(record.schema), record.value) }))),
    range: (partition) => log.range(partition),
    subscribe: (options) => log.subscribe(options),
    trim: (partition, offset) => log.trim(partition, offset),
    close: () => log.close(),
  };
}
