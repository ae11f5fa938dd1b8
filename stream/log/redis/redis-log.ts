import { type Clock, PresageError } from '../../../core/index.ts';
import { BlockingReads, idOf, RedisCaller, type RedisConnector, streamRange } from '../../redis/index.ts';
import { checkRecords } from '../checks.ts';
import type { EventLog, LogRange } from '../port.ts';
import { Appender } from './appender.ts';
import { partitionReader } from './reader.ts';

export interface RedisStreamsLogOptions {
  readonly connector: RedisConnector;
  /** Names the keys, `{events.v1:3}:log`; another partition count needs another version. */
  readonly version: number;
  readonly partitions: number;
  readonly clock: Clock;
  /** Append refuses from this share of maxmemory on; default 0.7. */
  readonly fullAt?: number;
  /** How long a call keeps trying before it throws `log_unavailable`; default 10 s. */
  readonly patienceMs?: number;
  /** How long one command may take before its connection is given up; default 5 s. */
  readonly commandTimeoutMs?: number;
}

const layoutKey = 'presage:log';

/**
 * The log in Redis Streams, one stream a partition. Throws PresageError `partitions_mismatch` when this Redis has the
 * log with another number of partitions, `log_unavailable` when it cannot be reached.
 */
export async function redisStreamsLog(options: RedisStreamsLogOptions): Promise<EventLog> {
  const { connector, version, partitions, clock } = options;
  const caller = new RedisCaller({
    connector,
    name: 'log',
    clock,
    patienceMs: options.patienceMs ?? 10_000,
    commandTimeoutMs: options.commandTimeoutMs ?? 5_000,
  });
  try {
    await claimLayout(caller, connector.where, version, partitions);
  } catch (error) {
    caller.close();
    throw error;
  }
  const streamKey = (partition: number): string => `{events.v${version}:${partition}}:log`;
  const appender = new Appender({ caller, clock, streamKey, fullAt: options.fullAt ?? 0.7 });
  const wayOut = new Appender({ caller, clock, streamKey, fullAt: null });
  const subscriptions = new Set<AbortController>();

  const range = (partition: number): Promise<LogRange> =>
    caller.call((redis) => streamRange(redis, streamKey(partition)), {
      what: `read the range of partition ${partition} of the log`,
      repeatable: true,
    });

  return {
    partitions,
    async append(records, isWayOut = false) {
      checkRecords(records, partitions);
      return (isWayOut ? wayOut : appender).append(records);
    },
    range,
    async subscribe({ group, partitions: wanted, startAt, onAssigned }) {
      const stopped = new AbortController();
      const reads = new BlockingReads(connector, `log:${group}`, clock);
      subscriptions.add(stopped);
      stopped.signal.addEventListener('abort', () => reads.close(), { once: true });
      const ends = new Map<number, AbortController>();
      const assign = async (partition: number): Promise<void> => {
        ends.get(partition)?.abort();
        const ended = new AbortController();
        ends.set(partition, ended);
        onAssigned(
          partitionReader({
            partition,
            key: streamKey(partition),
            from: await startAt(partition),
            reads,
            caller,
            range: () => range(partition),
            signal: AbortSignal.any([stopped.signal, ended.signal]),
          }),
        );
      };
      const stop = async (): Promise<void> => {
        subscriptions.delete(stopped);
        stopped.abort();
      };
      try {
        for (const partition of wanted ?? Array.from({ length: partitions }, (_, index) => index))
          await assign(partition);
      } catch (error) {
        await stop();
        throw error;
      }
      return {
        async restart(partition) {
          if (ends.has(partition) && !stopped.signal.aborted) await assign(partition);
        },
        stop,
      };
    },
    async trim(partition, offset) {
      await caller.call((redis) => redis.xtrim(streamKey(partition), 'MINID', idOf(offset)), {
        what: `trim partition ${partition} of the log`,
        repeatable: true,
      });
    },
    async close() {
      for (const stopped of subscriptions) stopped.abort();
      caller.close();
    },
  };
}

/** Whoever comes first writes down how the log is divided; a key hashed for another count would be looked for elsewhere. */
async function claimLayout(
  caller: RedisCaller,
  where: string,
  version: number,
  partitions: number,
): Promise<void> {
  const field = `v${version}`;
  const stored = await caller.call(
    async (redis) => {
      // Read first: above maxmemory even a write that changes nothing is refused.
      const known = await redis.hget(layoutKey, field);
      if (known !== null) return known;
      await redis.hsetnx(layoutKey, field, partitions);
      return redis.hget(layoutKey, field);
    },
    { what: 'open the log', repeatable: true },
  );
  if (stored === String(partitions)) return;
  throw new PresageError(
    'partitions_mismatch',
    `The log (version ${version}) in Redis at ${where} has ${stored} partitions, but ${partitions} were asked for. Start with ${stored} partitions, or begin another log version or data folder.`,
  );
}
