import type { Clock } from '../../../core/index.ts';
import { BlockingReads, RedisCaller, type RedisConnector } from '../../redis/index.ts';
import { makeLeasing } from '../leases/leasing.ts';
import { checkRequest, checkTakes, limits } from '../limits.ts';
import type { RequestCommit, StateStore } from '../port.ts';
import { readResolution } from '../resolution.ts';
import { goWithout, redisCommits } from './commits.ts';
import { stateCalls } from './functions.ts';
import { redisGenerations } from './generations.ts';
import { layoutsKey } from './keys.ts';
import { redisLeases } from './leases.ts';
import { redisOutbox } from './outbox.ts';
import { packRequest, packTakes } from './pack.ts';

export interface RedisStateOptions {
  readonly connector: RedisConnector;
  /** The log's version: names the keys, `{events.v1:3}:head`. */
  readonly version: number;
  readonly clock: Clock;
  /** How long a call keeps trying before it throws `state_unavailable`; default 10 s. */
  readonly patienceMs?: number;
  /** How long one command may take before its connection is given up; default 5 s. */
  readonly commandTimeoutMs?: number;
}

/** State in Redis: the functions of this folder's Lua files, one connection for commands, and one per waiting reader. */
export function redisState(options: RedisStateOptions): StateStore {
  const { connector, clock } = options;
  const caller = new RedisCaller({
    connector,
    name: 'state',
    clock,
    patienceMs: options.patienceMs ?? 10_000,
    commandTimeoutMs: options.commandTimeoutMs ?? 5_000,
  });
  const reads = new BlockingReads(connector, 'outbox', clock);
  const calls = stateCalls(caller, options.version);
  const { keysOf, invoke, send } = calls;
  const leases = makeLeasing(redisLeases(calls, options.version), () => clock.monotonic());
  const generations = redisGenerations(calls, caller, options.version);

  /** Leases what it may take, as far as there is time; how much patience is left then. */
  async function leased(partition: number, request: RequestCommit): Promise<number | undefined> {
    const { patienceMs } = request;
    const begun = clock.monotonic();
    const lease = leases.prepare(partition, [request]);
    if (lease === null) return patienceMs;
    await lease.catch(goWithout);
    const left = (patienceMs ?? 0) - (clock.monotonic() - begun);
    if (patienceMs !== undefined && left <= 0) throw caller.unavailable(`decide in partition ${partition}`);
    return patienceMs === undefined ? undefined : left;
  }

  return {
    ...redisCommits(calls, leases),
    ...redisOutbox(calls, reads),
    ...generations,
    partitionState: (partition) =>
      send((redis) => redis.getBuffer(keysOf(partition).partition), `read partition ${partition}`),
    async request(partition, request) {
      checkRequest(partition, request);
      const { tenant, subject, idempotencyKey } = request;
      const patienceMs = await leased(partition, request);
      for (;;) {
        const keys = keysOf(partition, generations.inForce(partition));
        const { answer, outbox, caps, statePrefix, head } = keys;
        const [kind, first, json] = (await invoke(
          'request',
          [
            answer(tenant, idempotencyKey),
            outbox,
            caps(tenant, subject),
            `${statePrefix}${tenant}:${subject}`,
            head,
            keys.timers(tenant),
          ],
          [packRequest(request, keys.generation)],
          `decide in partition ${partition}`,
          patienceMs,
        )) as [string, string, string];
        if (kind === 'moved') return { kind };
        if (kind === 'other') {
          generations.note(partition, Number(first));
          continue;
        }
        const resolution = readResolution(JSON.parse(json));
        return kind === 'decided'
          ? { kind, offset: Number(first), resolution }
          : { kind: 'repeated', payload: first, resolution };
      }
    },
    async capsUsed(partition, tenant, subject, takes) {
      checkTakes(`question about caps of ${tenant}:${subject}`, takes, limits.takesAsked);
      if (takes.length === 0) return [];
      const keys = [keysOf(partition).caps(tenant, subject)];
      return (await invoke('caps_used', keys, [packTakes(takes)], `read caps of ${subject}`)) as number[];
    },
    readerState: (partition, reader) =>
      send(
        (redis) => redis.hget(keysOf(partition).readers, reader),
        `read the position of ${reader} in partition ${partition}`,
      ),
    async saveReaderState(partition, reader, state) {
      const what = `save the position of ${reader} in partition ${partition}`;
      await invoke('save_reader', [keysOf(partition).readers], [reader, state], what);
    },
    async saveLayout(id, description) {
      await invoke('save_reader', [layoutsKey], [String(id), description], 'save a blob layout');
    },
    async layouts() {
      const all = await send((redis) => redis.hgetall(layoutsKey), 'read blob layouts');
      return Object.entries(all)
        .sort(([a], [b]) => Number(a) - Number(b))
        .map(([, description]) => description);
    },
    async close() {
      reads.close();
      caller.close();
    },
  };
}
