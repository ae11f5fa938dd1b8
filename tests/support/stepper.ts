import type { OutboxEntry } from '../../schemas/index.ts';
import { recordOf } from '../../stream/identity/relay.ts';
import type { EventLog, LogRecord } from '../../stream/log/index.ts';
import { readOutboxEntry } from '../../stream/outbox.ts';
import { decodePartitionState, type PartitionState } from '../../stream/partition-state.ts';
import { processBatch } from '../../stream/process.ts';
import { commitOf } from '../../stream/publish.ts';
import { SharedPartition } from '../../stream/shared/index.ts';
import type { StateStore } from '../../stream/state/index.ts';
import { SubjectCache } from '../../stream/subjects.ts';
import { type TopologyParts, topology } from '../../stream/topology.ts';

/**
 * Worker and relay by hand, one step at a time and without waiting: what the roles do between two points at which they
 * could die. A crash is to throw memory away.
 */
export function stepper(parts: TopologyParts & { log: EventLog; store: StateStore }) {
  const { log, store, features } = parts;
  interface Memory {
    readonly cache: SubjectCache;
    readonly state: PartitionState;
    readonly shared: SharedPartition | null;
    previous: string;
    position: number;
  }
  const memories = new Map<number, Memory>();
  const relayed = new Map<number, number>();
  let commits = 0;

  async function memoryOf(partition: number): Promise<Memory> {
    const known = memories.get(partition);
    if (known !== undefined) return known;
    const head = await store.head(partition);
    const memory = {
      cache: new SubjectCache({ store, features, partition, limits: { subjects: 10_000, bytes: 1e9 } }),
      state: decodePartitionState(await store.partitionState(partition)),
      shared: parts.shared ? new SharedPartition({ store, partition, groups: parts.shared.groups }) : null,
      previous: head.commitId,
      position: head.position,
    };
    memories.set(partition, memory);
    return memory;
  }

  async function recordsFrom(partition: number, position: number, limit: number): Promise<LogRecord[]> {
    const { end } = await log.range(partition);
    if (position >= end) return [];
    let reading: Promise<LogRecord[]> = Promise.resolve([]);
    const subscription = await log.subscribe({
      group: 'stepper',
      partitions: [partition],
      startAt: async () => position,
      onAssigned: (reader) => {
        reading = reader.next(limit, 0);
      },
      onRevoked: () => {},
    });
    const records = await reading;
    await subscription.stop();
    return records;
  }

  /** One batch of at most so many records; false: there was none. `dies`: after what the worker dies. */
  async function work(partition: number, limit: number, dies?: 'before' | 'after'): Promise<boolean> {
    const memory = await memoryOf(partition);
    const records = await recordsFrom(partition, memory.position, limit);
    const last = records.at(-1);
    if (last === undefined) return false;
    const batch = await processBatch(
      topology(parts, partition, memory.shared),
      partition,
      records,
      memory.cache,
      memory.state,
    );
    const id = `c${++commits}`;
    const { commit } = commitOf(batch, features, memory.previous, id);
    memory.state.changed = false;
    if (dies !== 'before') {
      const outcome = await store.commit(partition, commit);
      if (outcome.kind !== 'committed') throw new Error('A lone worker was fenced.');
    }
    memory.previous = id;
    memory.position = last.offset + 1;
    if (dies !== undefined) memories.delete(partition);
    return true;
  }

  /** Appends at most so many entries' moves; with `dies` the position is not saved, so that they are appended again. */
  async function relay(partition: number, limit: number, dies = false): Promise<boolean> {
    const position = relayed.get(partition) ?? 0;
    const { end } = await store.outboxRange(partition);
    if (position >= end) return false;
    const entries = await store.readOutbox(partition, position, limit, 0);
    const moves = entries.filter(({ kind }) => kind === 'transfer' || kind === 'forward');
    await log.append(moves.map((entry) => recordOf(entry, parts.partitions)));
    if (!dies) relayed.set(partition, position + entries.length);
    return true;
  }

  return {
    work,
    relay,
    /** The relay forgets how far it was, as when Redis went back in time. */
    rewind: (partition: number, entries: number) => {
      relayed.set(partition, Math.max(0, (relayed.get(partition) ?? 0) - entries));
    },
    crash: () => memories.clear(),
    async finish(): Promise<void> {
      for (let isBusy = true; isBusy; ) {
        isBusy = false;
        for (let p = 0; p < parts.partitions; p++) {
          while (await work(p, 1_000)) isBusy = true;
          while (await relay(p, 1_000)) isBusy = true;
        }
      }
    },
    async records(partition: number) {
      const { start, end } = await log.range(partition);
      return recordsFrom(partition, start, end - start);
    },
    async outbox(): Promise<OutboxEntry[]> {
      const entries: OutboxEntry[] = [];
      for (let p = 0; p < parts.partitions; p++) {
        const { start, end } = await store.outboxRange(p);
        if (end > start)
          entries.push(...(await store.readOutbox(p, start, end - start, 0)).map(readOutboxEntry));
      }
      return entries;
    },
  };
}
