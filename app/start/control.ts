import { type Clock, contentId } from '../../core/index.ts';
import type { ActionControl } from '../../gateway/index.ts';
import { type StoredEvent, systemTypes } from '../../schemas/index.ts';
import { decodePartitionState } from '../../stream/index.ts';
import type { EventLog, NewRecord } from '../../stream/log/index.ts';
import type { StateStore } from '../../stream/state/index.ts';

/**
 * The stop switch. Each call appends one `$control` event a tenant to every partition, so that the log says from which
 * position on nothing was delivered; the tenants stopped now are read from the partitions' committed state.
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

  /** A tenant counts as stopped as soon as one partition says so: the push role then holds back for all of them. */
  async function stoppedTenants(): Promise<ReadonlySet<string>> {
    const stopped = new Set<string>();
    for (let partition = 0; partition < log.partitions; partition++) {
      for (const tenant of decodePartitionState(await store.partitionState(partition)).stopped)
        stopped.add(tenant);
    }
    return stopped;
  }

  return {
    stop: (tenants, by, reason) => append('stop', tenants, by, reason),
    resume: (tenants, by, reason) => append('resume', tenants, by, reason),
    stoppedTenants,
  };
}
