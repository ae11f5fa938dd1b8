import { PresageError } from '../../../core/index.ts';
import type { Resolution } from '../../../schemas/index.ts';
import type { Leasing } from '../leases/leasing.ts';
import { checkCommit } from '../limits.ts';
import type { Commit, CommitOutcome, PartitionHead, StateStore } from '../port.ts';
import { readResolution } from '../resolution.ts';
import type { StateCalls } from './functions.ts';
import { packCommit } from './pack.ts';

/** Kept memory: at most 32 MiB in all. Small buffers share Node's pool, so they are never kept. */
const mostRooms = 8;
const leastRoom = 64 * 1_024;
const mostRoom = 4 * 1_024 * 1_024;

/** The part of the store that moves a partition: reading its head, and committing. */
export function redisCommits(calls: StateCalls, leases?: Leasing): Pick<StateStore, 'head' | 'commit'> {
  /** By partition: settles when the newest commit in flight does; never rejects. */
  const newest = new Map<number, Promise<void>>();
  /** Memory of commits that were answered, for the next: a megabyte each, which would be fetched from the system anew. */
  const rooms: Buffer[] = [];

  async function send(partition: number, packed: Buffer): Promise<CommitOutcome> {
    const { head, commits, outbox, partition: own } = calls.keysOf(partition);
    const keys = [head, commits, outbox, own];
    return commitOutcomeOf(await calls.invoke('commit', keys, [packed], `commit partition ${partition}`));
  }

  /** A commit sent behind one that is not settled may be fenced only because the first has to be sent again. */
  async function sendAfter(
    before: Promise<void> | undefined,
    partition: number,
    packed: Buffer,
  ): Promise<CommitOutcome> {
    const outcome = await send(partition, packed);
    if (outcome.kind === 'committed' || before === undefined) return outcome;
    await before;
    return send(partition, packed);
  }

  return {
    async head(partition) {
      const fields = await calls.send(
        (redis) => redis.hmget(calls.keysOf(partition).head, 'position', 'commit', 'sequence', 'generation'),
        `read the head of partition ${partition}`,
      );
      return headOf(fields);
    },
    async commit(partition, commit) {
      checkCommit(partition, commit);
      const packed = packCommit(calls.keysOf(partition, commit.generation), commit, rooms.pop());
      const before = newest.get(partition);
      const lease = leases?.prepare(partition, decisionsIn(commit));
      // One that waits for a lease is overtaken by the next, which is fenced, waits for it in turn and is sent again.
      const outcome = lease
        ? lease.catch(goWithout).then(() => sendAfter(before, partition, packed))
        : sendAfter(before, partition, packed);
      const forget = (): void => {
        if (newest.get(partition) === settled) newest.delete(partition);
      };
      const settled = outcome.then(() => {
        forget();
        // Only after an answer is nobody still sending it.
        const whole = packed.buffer.byteLength;
        if (rooms.length < mostRooms && whole >= leastRoom && whole <= mostRoom)
          rooms.push(Buffer.from(packed.buffer));
      }, forget);
      newest.set(partition, settled);
      return outcome;
    },
  };
}

const decisionsIn = ({ outbox }: Commit) => outbox.filter((item) => item.kind === 'decision');

/** Without a lease there is no room in it, which the decision says; all else can go on. */
export function goWithout(error: unknown): void {
  if (!(error instanceof PresageError)) throw error;
}

function headOf(fields: readonly (string | null | undefined)[]): PartitionHead {
  const [position, commitId, sequence, generation] = fields;
  return {
    position: Number(position ?? 0),
    commitId: commitId ?? '',
    sequence: Number(sequence ?? 0),
    generation: Number(generation ?? 0),
  };
}

/** The reply of commit.lua. */
function commitOutcomeOf(reply: unknown): CommitOutcome {
  const [kind, ...rest] = reply as string[];
  if (kind !== 'committed') return { kind: 'fenced', head: headOf(rest) };
  const [sequence, resolutions] = rest;
  return {
    kind,
    sequence: Number(sequence),
    resolutions: (JSON.parse(resolutions ?? '[]') as Resolution[]).map(readResolution),
  };
}
