import { type Clock, contentId } from '../../core/index.ts';
import type { ActionControl } from '../../gateway/index.ts';
import { type StoredEvent, systemTypes } from '../../schemas/index.ts';
import { decodePartitionState } from '../../stream/index.ts';
import type { EventLog, NewRecord } from '../../stream/log/index.ts';
import type { StateStore } from '../../stream/state/index.ts';

/** Where the switch itself is kept: among the readers of the first partition, which may be written above maxmemory. */
const kept = { partition: 0, name: 'stop-switch' } as const;

/**
 * The stop switch. A stop counts at once: it is written down before anything else, since the log may have a long way
 * to go to it. Each call also appends one `$control` event a tenant to every partition, so that the log says from which
 * position on nothing was delivered.
 */
export function makeControl(parts: {
  log: EventLog;
  store: StateStore;
  clock: Clock;
  newId: () => string;
  tenants: readonly string[];
}): ActionControl {
  const { log, store, clock } = parts;

  async function append(
    control: 'stop' | 'resume',
    tenants: readonly string[],
    by: string,
    reason: string | undefined,
  ): Promise<void> {
    const call = parts.newId();
    const records: NewRecord[] = [];
    for (let partition = 0; partition < log.partitions; partition++) {
      for (const tenant of tenants) {
        const event: StoredEvent = {
          v: 1,
          id: contentId('control', call, String(partition), tenant),
          tenant,
          type: systemTypes.control,
          anonymousId: 'engine',
          time: clock.now(),
          properties: { control, by, ...(reason === undefined ? {} : { reason }) },
          source: 'engine',
        };
        records.push({ partition, key: 'engine', value: Buffer.from(JSON.stringify(event)) });
      }
    }
    await log.append(records);
  }

  let last: Promise<void> = Promise.resolve();
  /** One call after the other: each changes what the one before it has written. */
  function inTurn(call: () => Promise<void>): Promise<void> {
    const done = last.then(call);
    last = done.catch(() => {});
    return done;
  }

  async function written(): Promise<Set<string>> {
    const text = await store.readerState(kept.partition, kept.name);
    return new Set(text === null ? [] : (JSON.parse(text) as string[]));
  }

  async function write(change: (stopped: Set<string>) => void): Promise<void> {
    const stopped = await written();
    change(stopped);
    await store.saveReaderState(kept.partition, kept.name, JSON.stringify([...stopped]));
  }

  /** A tenant counts as stopped as long as the switch or one partition says so: push then holds back for all of them. */
  async function stoppedTenants(): Promise<ReadonlySet<string>> {
    const stopped = await written();
    for (let partition = 0; partition < log.partitions; partition++) {
      for (const tenant of decodePartitionState(await store.partitionState(partition)).stopped)
        stopped.add(tenant);
    }
    return stopped;
  }

  return {
    stop: (tenants, by, reason) =>
      inTurn(async () => {
        await write((stopped) => {
          for (const tenant of tenants) stopped.add(tenant);
        });
        await append('stop', tenants, by, reason);
      }),
    resume: (tenants, by, reason) =>
      inTurn(async () => {
        await append('resume', tenants, by, reason);
        await write((stopped) => {
          for (const tenant of tenants) stopped.delete(tenant);
        });
      }),
    stoppedTenants,
  };
}
