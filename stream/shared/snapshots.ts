import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, type Health, type Logger, messageOf, type Role } from '../../core/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import type { StateStore } from '../state/port.ts';
import { type SharedGroup, sharedKeys } from './groups.ts';
import { mergeShared, type Partial, type SharedValues } from './merge.ts';
import { readShared, type SharedReading } from './reading.ts';

export interface SharedSnapshots extends Role {
  readonly groups: readonly SharedGroup[];
  /** What one decision for the tenant reads; null before the first snapshot, and where there are no such features. */
  read(tenant: string): SharedReading | null;
  /** All of a tenant's shared features; null before the first snapshot. */
  values(tenant: string): SharedValues | null;
  /** How full the newest snapshot is. */
  kept(): readonly (SharedValues['kept'][number] & { readonly tenant: string })[];
  /** Since all partitions were last read. */
  ageSeconds(): number;
  /** Reads all partitions again, now. */
  refresh(): Promise<void>;
}

/** With the time of reading and merging, a snapshot is at most about a second old. */
const refreshEveryMs = 500;
/** Older, it is told in the role's health: the store does not answer in time. */
const staleAfterMs = 5_000;

/**
 * The shared features of all tenants, merged from all partitions' blobs at most about a second ago. Partitions that
 * have made no commit since are not read again. Off the hot path: whoever decides reads memory only.
 */
export function makeSharedSnapshots(parts: {
  readonly workspace: CompiledWorkspace;
  readonly groups: readonly SharedGroup[];
  readonly store: Pick<StateStore, 'head' | 'load'>;
  readonly partitions: number;
  /** The log's first position: what partitions of before had below it is counted. Default 0. */
  readonly base?: number | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
  /** A decision asked a feature for a key that it has not. */
  readonly onMissed?: (feature: string) => void;
}): SharedSnapshots {
  const { workspace, groups, store, clock } = parts;
  let readAt = clock.monotonic();
  const ageMs = (): number => clock.monotonic() - readAt;
  const tenants = [...workspace.tenants.keys()];
  const known = Array.from({ length: parts.partitions }, () => ({
    commitId: '',
    partial: new Map() as Partial,
  }));
  let isNews = true;
  let values: ReadonlyMap<string, SharedValues> = new Map();
  let health: Health = { state: 'starting', why: 'no snapshot of the shared features yet' };
  let stopping = new AbortController();
  let done: Promise<void> = Promise.resolve();

  async function refresh(): Promise<void> {
    if (groups.length === 0) return;
    const begunAt = clock.monotonic();
    await Promise.all(known.map((_, partition) => readPartition(partition)));
    readAt = begunAt;
    if (!isNews) return;
    const partials = known.map(({ partial }) => partial);
    values = new Map(
      tenants.map((tenant) => [
        tenant,
        { ...mergeShared(tenant, groups, workspace.shared, partials), before: parts.base ?? 0 },
      ]),
    );
    isNews = false;
  }

  async function readPartition(partition: number): Promise<void> {
    const { commitId } = await store.head(partition);
    if (commitId === known[partition]?.commitId) return;
    const partial = new Map<string, Uint8Array>();
    for (const tenant of tenants) {
      const keys = groups.flatMap((group) => sharedKeys(tenant, group));
      const blobs = await store.load(partition, keys);
      for (const [index, key] of keys.entries()) {
        const blob = blobs[index];
        if (blob) partial.set(key, blob);
      }
    }
    known[partition] = { commitId, partial };
    isNews = true;
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await refresh();
        health = { state: 'ok' };
      } catch (error) {
        // Decisions go on with the last snapshot; their records say how old it is.
        health = { state: 'degraded', why: `shared features could not be read: ${messageOf(error)}` };
        parts.logger.warn({ err: messageOf(error) }, 'Shared features could not be read');
      }
      await pause(refreshEveryMs, undefined, { signal }).catch(() => {});
    }
  }

  return {
    name: 'shared features',
    groups,
    read(tenant) {
      const found = values.get(tenant);
      return found === undefined ? null : readShared(found, parts.onMissed);
    },
    values: (tenant) => values.get(tenant) ?? null,
    kept: () => [...values].flatMap(([tenant, { kept }]) => kept.map((group) => ({ tenant, ...group }))),
    ageSeconds: () => ageMs() / 1_000,
    refresh,
    start: async () => {
      stopping = new AbortController();
      await refresh().catch(() => {});
      done = run(stopping.signal);
    },
    stop: async () => {
      stopping.abort();
      await done;
      health = { state: 'down', why: 'stopped' };
    },
    health: () =>
      health.state === 'ok' && ageMs() > staleAfterMs
        ? {
            state: 'degraded',
            why: `shared features were last read ${Math.round(ageMs() / 1_000)} s ago: the state store is slow`,
          }
        : health,
  };
}
