import type { Redis } from 'ioredis';
import { stateKeys } from '../state/redis/keys.ts';
import { partitionOfSubject, readKey, type SubjectKey, subjectIn, subjectOfAnswer } from './place.ts';

/** Sends commands that may be sent again. */
export type Send = <T>(command: (redis: Redis) => Promise<T>, what: string) => Promise<T>;

export interface CopyParts {
  readonly send: Send;
  readonly from: { readonly version: number };
  readonly to: { readonly version: number; readonly partitions: number };
  /** In force in each partition that there is; other generations are left behind. */
  readonly generations: readonly number[];
  /** That all partitions begin with. */
  readonly generation: number;
}

/** Parts the name of an index of timers from that of a member, in the set of what was touched. */
export const memberMark = '\0';
const what = 'move subjects to other partitions';
const membersAtOnce = 500;

/**
 * Copies subjects' keys as they are now, byte for byte, with the time they have left; of keys that are gone the copy is
 * deleted. Names are keys of the old version, or an index of timers and a member. Copying again is harmless.
 */
export async function copyKeys(parts: CopyParts, names: readonly string[]): Promise<void> {
  const members: [SubjectKey, string, string][] = [];
  const plain: [string, SubjectKey][] = [];
  for (const name of names) {
    const [keyName = '', member] = name.split(memberMark, 2);
    const key = readKey(keyName, parts.from.version);
    if (key === null || !isInForce(parts, key)) continue;
    if (member !== undefined) members.push([key, keyName, member]);
    else if (key.kind !== 'timers') plain.push([name, key]);
  }
  await copyPlain(parts, plain);
  await copyMembers(parts, members);
}

const isInForce = ({ generations }: CopyParts, { kind, partition, generation }: SubjectKey): boolean =>
  (kind !== 'state' && kind !== 'timers') || generation === generations[partition];

async function copyPlain(parts: CopyParts, keys: readonly [string, SubjectKey][]): Promise<void> {
  const subjects = await subjectsOf(parts, keys);
  const known = keys.flatMap(([name, key], index) => {
    const subject = subjects[index] ?? null;
    return subject === null ? [] : [[name, targetOf(parts, key, subject)] as const];
  });
  if (known.length === 0) return;
  await parts.send(async (redis) => {
    const dumps = await Promise.all(
      known.map(([name]) => Promise.all([redis.dumpBuffer(name), redis.pexpiretime(name)])),
    );
    await Promise.all(
      dumps.map(([dump, expiresAt], index) => {
        const target = known[index]?.[1] ?? '';
        if (dump === null) return redis.unlink(target);
        return expiresAt > 0
          ? redis.restore(target, expiresAt, dump, 'REPLACE', 'ABSTTL')
          : redis.restore(target, 0, dump, 'REPLACE');
      }),
    );
  }, what);
}

/** null: nothing to copy, a share of what all subjects share, or an answer whose time is over. */
async function subjectsOf(
  { send }: CopyParts,
  keys: readonly [string, SubjectKey][],
): Promise<(string | null)[]> {
  const names = keys.flatMap(([name, { kind }]) => (kind === 'answer' ? [name] : []));
  const answers =
    names.length === 0
      ? []
      : await send((redis) => Promise.all(names.map((name) => redis.getBuffer(name))), what);
  return keys.map(([, { kind, rest }]) => {
    if (kind !== 'answer') return subjectIn(rest);
    const answer = answers.shift() ?? null;
    return answer === null ? null : subjectOfAnswer(answer);
  });
}

function targetOf(parts: CopyParts, { kind, rest }: SubjectKey, subject: string): string {
  const keys = targetKeys(parts, subject);
  if (kind === 'state') return keys.statePrefix + rest;
  const tag = keys.head.slice(0, keys.head.indexOf('}') + 1);
  return `${tag}:${kind === 'answer' ? 'idem' : kind}:${rest}`;
}

const targetKeys = ({ to, generation }: CopyParts, subject: string) =>
  stateKeys(to.version, partitionOfSubject(subject, to.partitions), generation);

async function copyMembers(
  parts: CopyParts,
  members: readonly [SubjectKey, string, string][],
): Promise<void> {
  if (members.length === 0) return;
  await parts.send(async (redis) => {
    const scores = await Promise.all(members.map(([, name, member]) => redis.zscore(name, member)));
    await Promise.all(
      members.map(([{ rest: tenant }, , member], index) => {
        const subject = subjectIn(member);
        if (subject === null) return null;
        const target = targetKeys(parts, subject).timers(tenant);
        const score = scores[index] ?? null;
        return score === null ? redis.zrem(target, member) : redis.zadd(target, score, member);
      }),
    );
  }, what);
}

/** Copies a whole index of timers, some members at a time; `pause` is waited for between. */
export async function copyIndex(parts: CopyParts, name: string, pause: () => Promise<void>): Promise<void> {
  const key = readKey(name, parts.from.version);
  if (key === null || !isInForce(parts, key)) return;
  let cursor = '0';
  do {
    const [next, flat] = await parts.send((redis) => redis.zscan(name, cursor, 'COUNT', membersAtOnce), what);
    const members = flat.filter((_, index) => index % 2 === 0);
    await copyMembers(
      parts,
      members.map((member) => [key, name, member]),
    );
    cursor = next;
    await pause();
  } while (cursor !== '0');
}
