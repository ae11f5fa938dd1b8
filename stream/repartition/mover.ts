import type { Logger } from '../../core/index.ts';
import { type LogVersion, nextBase } from '../log/versions.ts';
import { decodePartitionState, encodePartitionState } from '../partition-state.ts';
import { type SharedGroup, sharedKeys } from '../shared/groups.ts';
import { stateKeys } from '../state/redis/keys.ts';
import { combineShares, combineStates } from './combine.ts';
import { type CopyParts, copyIndex, copyKeys, type Send } from './copy.ts';
import { readKey } from './place.ts';

export interface MoverParts {
  readonly send: Send;
  readonly from: LogVersion;
  readonly to: { readonly version: number; readonly partitions: number };
  readonly logger: Logger;
  /** Waited for between two steps while others are served; `busyMs`: how long the one before took. */
  readonly pause: (busyMs: number) => Promise<void>;
  /** Milliseconds from anywhere. */
  readonly now: () => number;
}

/** What is settled once nothing writes any more. */
export interface SettleParts {
  /** Where each partition's log and outbox end: all of it has been processed. */
  readonly logEnds: readonly number[];
  readonly outboxEnds: readonly number[];
  /** Features that subjects share, and the tenants that have them. */
  readonly groups: readonly SharedGroup[];
  readonly tenants: readonly string[];
  /** Readers of the outbox (stream/follow.ts): they have read it all, and begin where the new ones do. */
  readonly followers: readonly string[];
  /** Other readers whose positions mean nothing any more: they begin where log and outbox do. All else is kept. */
  readonly readers: readonly string[];
}

export interface Mover {
  /** From here on everything that is written is noted. */
  mark(): Promise<void>;
  /** Copies all subjects, as they are when their turn comes; false: told to end before. */
  copyAll(onCopied: (keys: number) => void, signal: AbortSignal): Promise<boolean>;
  /** Copies once more what was written since, but not what is written meanwhile; how many names there were. */
  copyTouched(signal: AbortSignal): Promise<number>;
  /** How many names wait for that. */
  touched(): Promise<number>;
  /** Puts the new partitions' heads, outboxes and own states in place; the version that can come into force now. */
  settle(parts: SettleParts): Promise<LogVersion>;
  /** Deletes everything of the old version; doing it again goes on. */
  forget(signal: AbortSignal): Promise<void>;
  /** Deletes what was copied, and what is written is no longer noted; doing it again goes on. */
  undo(signal: AbortSignal): Promise<void>;
}

const keysAtOnce = 500;

/**
 * Moves the state of all subjects from the partitions of one version of the log to those of the next: blobs, caps,
 * timers, inboxes, answers, byte for byte. What a subject has does not depend on its partition, so nothing is made anew.
 * Every step may be done again after a crash at any point; until the new version is in force nothing of the old is touched.
 */
export function makeMover(parts: MoverParts): Mover {
  const { send, from, to, logger } = parts;
  const sources = Array.from({ length: from.partitions }, (_, p) => stateKeys(from.version, p));
  const tagOf = (p: number): string => `{events.v${from.version}:${p}}`;
  const marks = sources.map((_, p) => `${tagOf(p)}:moving`);
  const dirty = sources.map((_, p) => `${tagOf(p)}:dirty`);
  const taken = sources.map((_, p) => `${tagOf(p)}:taken`);

  async function copyParts(): Promise<CopyParts> {
    const generations = await generationsOf();
    return { send, from, to, generations, generation: Math.max(0, ...generations) };
  }

  const generationsOf = async (): Promise<number[]> =>
    (
      await send(
        (redis) => Promise.all(sources.map(({ head }) => redis.hget(head, 'generation'))),
        'read generations',
      )
    ).map(Number);

  async function scan(
    version: number,
    visit: (names: readonly string[]) => Promise<void>,
    signal: AbortSignal,
    what: string,
  ): Promise<boolean> {
    let cursor = '0';
    do {
      if (signal.aborted) return false;
      const begun = parts.now();
      const [next, names] = await send(
        (redis) => redis.scan(cursor, 'MATCH', `{events.v${version}:*`, 'COUNT', keysAtOnce),
        what,
      );
      if (names.length > 0) await visit(names);
      cursor = next;
      await parts.pause(parts.now() - begun);
    } while (cursor !== '0');
    return !signal.aborted;
  }

  /** Set aside what was noted, so that what is noted meanwhile is not taken for done. */
  const take = (partition: number): Promise<boolean> => {
    const [noted, aside] = [dirty[partition] ?? '', taken[partition] ?? ''];
    return send(async (redis) => {
      if ((await redis.exists(aside)) === 1) return true;
      if ((await redis.exists(noted)) === 0) return false;
      await redis.rename(noted, aside);
      return true;
    }, 'take what was written meanwhile');
  };

  async function copyTaken(copying: CopyParts, partition: number, signal: AbortSignal): Promise<number> {
    const aside = taken[partition] ?? '';
    let count = 0;
    while (!signal.aborted) {
      const names = await send((redis) => redis.srandmember(aside, keysAtOnce), 'read what was written');
      if (names.length === 0) break;
      await copyKeys(copying, names);
      await send((redis) => redis.srem(aside, ...names), 'note what was moved');
      count += names.length;
    }
    return count;
  }

  async function mergeShares(
    { generation, generations }: CopyParts,
    { groups, tenants }: SettleParts,
  ): Promise<void> {
    for (const group of groups) {
      for (const key of tenants.flatMap((tenant) => sharedKeys(tenant, group))) {
        const blobs = await send(
          (redis) =>
            Promise.all(
              generations.map((own, p) => redis.getBuffer(stateKeys(from.version, p, own).statePrefix + key)),
            ),
          'read what subjects share',
        );
        for (let target = 0; target < to.partitions; target++) {
          const coming = blobs.filter((_, p) => p % to.partitions === target);
          const share = combineShares(group, coming);
          if (share === 'too large')
            logger.error(
              { key, partition: target },
              'Shared features of a shard grew over the size of a blob and begin anew. Lower their keys or buckets.',
            );
          const name = stateKeys(to.version, target, generation).statePrefix + key;
          await send(async (redis) => {
            if (share === null || share === 'too large') await redis.unlink(name);
            else await redis.set(name, Buffer.from(share));
          }, 'merge what subjects share');
        }
      }
    }
  }

  /** Readers' own bytes, and what else stands among them; all of it is the first partition's. */
  const keptOf = async ({ followers, readers }: SettleParts): Promise<[string, string][]> =>
    Object.entries(
      await send((redis) => redis.hgetall(sources[0]?.readers ?? ''), 'read what readers keep'),
    ).filter(([name]) => !followers.includes(name) && !readers.includes(name));

  return {
    async mark() {
      await send((redis) => Promise.all(marks.map((key) => redis.set(key, '1'))), 'mark partitions');
    },
    async copyAll(onCopied, signal) {
      const copying = await copyParts();
      return scan(
        from.version,
        async (names) => {
          await copyKeys(copying, names);
          for (const name of names)
            if (readKey(name, from.version)?.kind === 'timers')
              await copyIndex(copying, name, () => parts.pause(0));
          onCopied(names.length);
        },
        signal,
        'find the state of subjects',
      );
    },
    async copyTouched(signal) {
      const copying = await copyParts();
      let count = 0;
      for (let p = 0; p < from.partitions; p++)
        if (!signal.aborted && (await take(p))) count += await copyTaken(copying, p, signal);
      return count;
    },
    async touched() {
      const counts = await send(
        (redis) => Promise.all([...dirty, ...taken].map((key) => redis.scard(key))),
        'count what was written',
      );
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async settle(settling) {
      const copying = await copyParts();
      await mergeShares(copying, settling);
      const heads = await send(
        (redis) => Promise.all(sources.map(({ head }) => redis.hget(head, 'sequence'))),
        'read heads',
      );
      const stored = await send(
        (redis) => Promise.all(sources.map(({ partition }) => redis.getBuffer(partition))),
        'read partitions',
      );
      const own = encodePartitionState(combineStates(stored.map(decodePartitionState)));
      const kept = await keptOf(settling);
      const base = nextBase(from, settling.logEnds);
      const outbox = Math.max(0, ...settling.outboxEnds);
      const sequence = Math.max(0, ...heads.map(Number));
      for (let p = 0; p < to.partitions; p++) {
        const keys = stateKeys(to.version, p);
        await send(async (redis) => {
          await redis.unlink(keys.head, keys.commits, keys.outbox, keys.partition, keys.readers);
          // An empty stream that goes on where the longest of the old ones ended.
          if (outbox > 0) {
            await redis.xadd(keys.outbox, `0-${outbox}`, 'k', 'none');
            await redis.xtrim(keys.outbox, 'MAXLEN', 0);
          }
          await redis.set(keys.partition, own);
          const begin = JSON.stringify({ position: outbox, mark: null });
          const readers = [
            ...settling.followers.map((name) => [name, begin] as const),
            ...(p === 0 ? kept : []),
          ];
          if (readers.length > 0) await redis.hset(keys.readers, Object.fromEntries(readers));
          await redis.hset(keys.head, {
            position: base,
            sequence,
            commit: `version-${to.version}`,
            ...(copying.generation === 0 ? {} : { generation: copying.generation }),
          });
        }, `settle partition ${p}`);
      }
      return { ...to, base };
    },
    async forget(signal) {
      await scan(
        from.version,
        (names) => send((redis) => redis.unlink(...names), 'delete old partitions').then(() => {}),
        signal,
        'find old partitions',
      );
    },
    async undo(signal) {
      for (const [p, mark] of marks.entries())
        await send((redis) => redis.unlink(mark, dirty[p] ?? '', taken[p] ?? ''), 'unmark partitions');
      await scan(
        to.version,
        (names) => send((redis) => redis.unlink(...names), 'delete what was copied').then(() => {}),
        signal,
        'find what was copied',
      );
    },
  };
}
