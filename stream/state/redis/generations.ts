import type { Redis } from 'ioredis';
import { PresageError } from '../../../core/index.ts';
import type { RedisCaller } from '../../redis/index.ts';
import type { ShadowStore, StateStore } from '../port.ts';
import { redisCommits } from './commits.ts';
import { type StateCalls, stateCalls } from './functions.ts';
import type { StateKeys } from './keys.ts';

export interface Generations
  extends Pick<StateStore, 'load' | 'earliestTimers' | 'shadow' | 'forgetGeneration'> {
  /** The generation last seen in force; 0 before the first look. */
  inForce(partition: number): number;
  note(partition: number, generation: number): void;
}

/** Keys that one step of a deletion looks at. */
const keysPerStep = 1_000;

/** The part of the store that knows whose blobs and timers are read: those in force, or those of a shadow. */
export function redisGenerations(calls: StateCalls, caller: RedisCaller, version: number): Generations {
  const seen = new Map<number, number>();
  const inForce = (partition: number): number => seen.get(partition) ?? 0;

  /**
   * Reads from the generation in force. A connection's commands are answered in order and generations only rise: one that
   * is in force after the read was so during it.
   */
  async function read<T>(
    partition: number,
    command: (redis: Redis, keys: StateKeys) => Promise<T>,
    what: string,
  ): Promise<T> {
    for (;;) {
      const keys = calls.keysOf(partition, inForce(partition));
      const [value, generation] = await calls.send(
        (redis) => Promise.all([command(redis, keys), redis.hget(keys.head, 'generation')]),
        what,
      );
      const current = Number(generation ?? 0);
      if (current === keys.generation) return value;
      seen.set(partition, current);
    }
  }

  return {
    inForce,
    note: (partition, generation) => void seen.set(partition, generation),
    async load(partition, subjects) {
      if (subjects.length === 0) return [];
      return read(partition, loader(subjects), loading(partition, subjects));
    },
    async earliestTimers(partition, tenant, limit) {
      if (limit < 1) return [];
      return entriesOf(await read(partition, timers(tenant, limit), reading(partition, tenant)));
    },
    shadow: (generation) => shadowState(stateCalls(caller, version, true), generation),
    forgetGeneration: (partition, generation) => forget(calls, version, caller, partition, generation),
  };
}

function shadowState(calls: StateCalls, generation: number): ShadowStore {
  if (!(Number.isSafeInteger(generation) && generation > 0))
    throw new PresageError('state_invalid', `There is no shadow of generation ${generation}.`);
  // Made once for each partition: all keys of a shadow are of its generation.
  const own: StateCalls = { ...calls, keysOf: (partition) => calls.keysOf(partition, generation) };
  const commits = redisCommits(own);
  return {
    head: commits.head,
    commit: (partition, commit) => commits.commit(partition, { ...commit, generation }),
    partitionState: (partition) =>
      own.send((redis) => redis.getBuffer(own.keysOf(partition).partition), `read partition ${partition}`),
    async load(partition, subjects) {
      if (subjects.length === 0) return [];
      const keys = own.keysOf(partition);
      return own.send((redis) => loader(subjects)(redis, keys), loading(partition, subjects));
    },
    async earliestTimers(partition, tenant, limit) {
      if (limit < 1) return [];
      const keys = own.keysOf(partition);
      return entriesOf(
        await own.send((redis) => timers(tenant, limit)(redis, keys), reading(partition, tenant)),
      );
    },
  };
}

async function forget(
  calls: StateCalls,
  version: number,
  caller: RedisCaller,
  partition: number,
  generation: number,
): Promise<void> {
  const { head } = calls.keysOf(partition);
  const own = stateCalls(caller, version, true).keysOf(partition, generation);
  const what = `delete generation ${generation} of partition ${partition}`;
  for (const pattern of [`${own.statePrefix}*`, own.timers('*')]) {
    let cursor = '0';
    do {
      const inForce = Number((await calls.send((redis) => redis.hget(head, 'generation'), what)) ?? 0);
      if (inForce === generation)
        throw new PresageError(
          'state_invalid',
          `Generation ${generation} of partition ${partition} is in force and was not deleted.`,
        );
      const [next, found] = await calls.send(
        (redis) => redis.scan(cursor, 'MATCH', pattern, 'COUNT', keysPerStep),
        what,
      );
      if (found.length > 0) await calls.send((redis) => redis.unlink(...found), what);
      cursor = next;
    } while (cursor !== '0');
  }
  // The first generation never was a shadow: its own head is the partition's.
  if (generation > 0) await calls.send((redis) => redis.unlink(own.head, own.commits, own.partition), what);
}

const loader = (subjects: readonly string[]) => (redis: Redis, keys: StateKeys) =>
  redis.mgetBuffer(subjects.map((subject) => keys.statePrefix + subject));

const timers = (tenant: string, limit: number) => (redis: Redis, keys: StateKeys) =>
  redis.zrange(keys.timers(tenant), '0', String(limit - 1), 'WITHSCORES');

const loading = (partition: number, subjects: readonly string[]): string =>
  `load ${subjects.length} subjects of partition ${partition}`;

const reading = (partition: number, tenant: string): string =>
  `read the timers of ${tenant} in partition ${partition}`;

const entriesOf = (flat: readonly string[]): [string, number][] =>
  Array.from({ length: flat.length / 2 }, (_, i): [string, number] => [
    flat[2 * i] ?? '',
    Number(flat[2 * i + 1]),
  ]);
