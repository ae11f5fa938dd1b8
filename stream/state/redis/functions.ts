import type { Redis } from 'ioredis';
import { functionLibrary, type RedisCaller } from '../../redis/index.ts';
import { type StateKeys, stateKeys } from './keys.ts';

const library = functionLibrary({
  name: 'state',
  files: [
    '../../redis/keys.lua',
    './leases.lua',
    './ledger.lua',
    './caps.lua',
    './moving.lua',
    './commit.lua',
    './request.lua',
    './caps_used.lua',
    './save_reader.lua',
  ].map((file) => new URL(file, import.meta.url)),
  functions: {
    commit: ['allow-oom'],
    request: [],
    caps_used: ['no-writes'],
    save_reader: ['allow-oom'],
    lease: ['allow-oom'],
    ledger: ['allow-oom'],
  },
});

export type StateFunction = 'commit' | 'request' | 'caps_used' | 'save_reader' | 'lease' | 'ledger';

/** How the state's parts reach Redis. `what` says what is tried, for the message of an error. */
export interface StateCalls {
  readonly caller: RedisCaller;
  /** `generation`: of blobs and timers; default 0. */
  keysOf(partition: number, generation?: number): StateKeys;
  /** Calls a function of this folder's Lua files. All of them may be sent again: a repeat has no second effect. */
  invoke(
    name: StateFunction,
    keys: readonly string[],
    args: readonly (string | Buffer)[],
    what: string,
    patienceMs?: number,
  ): Promise<unknown>;
  /** Sends a plain command that may be sent again. */
  send<T>(command: (redis: Redis) => Promise<T>, what: string): Promise<T>;
}

const mostPartitions = 65_536;

/** `isShadow`: all keys are those of a generation that is not in force yet. */
export function stateCalls(caller: RedisCaller, version: number, isShadow = false): StateCalls {
  const known = new Map<number, StateKeys>();
  return {
    caller,
    keysOf(partition, generation = 0) {
      const place = generation * mostPartitions + partition;
      let keys = known.get(place);
      if (keys === undefined) {
        keys = stateKeys(version, partition, generation, isShadow);
        known.set(place, keys);
      }
      return keys;
    },
    invoke: (name, keys, args, what, patienceMs) =>
      caller.call((redis) => redis.fcall(library.functionName(name), keys.length, ...keys, ...args), {
        what,
        repeatable: true,
        loadFunctions: library.load,
        ...(patienceMs === undefined ? {} : { patienceMs }),
      }),
    send: (command, what) => caller.call(command, { what, repeatable: true }),
  };
}
