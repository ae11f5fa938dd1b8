import type { Assigner, AssignerProtocol, GroupMember, PartitionAssigner } from 'kafkajs';

/** What a member says of itself when it joins. */
export interface Claim {
  readonly member: string;
  /** Partitions that it reads and could keep. */
  readonly held: readonly number[];
  /** When it last got an assignment: of two that claim a partition, the later one has it. */
  readonly since: number;
}

/**
 * Divides partitions so that counts differ by at most one and as few as possible change hands. The same claims give the
 * same answer, in whatever order they come.
 */
export function divide(partitions: readonly number[], claims: readonly Claim[]): Map<string, number[]> {
  const bySeniority = [...claims].sort((a, b) => b.since - a.since || (a.member < b.member ? -1 : 1));
  const owner = new Map<number, string>();
  const wanted = new Set(partitions);
  for (const { member, held } of bySeniority)
    for (const partition of held)
      if (wanted.has(partition) && !owner.has(partition)) owner.set(partition, member);
  const shares = new Map(claims.map(({ member }) => [member, [] as number[]]));
  for (const [partition, member] of [...owner].sort(([a], [b]) => a - b)) shares.get(member)?.push(partition);

  const least = Math.floor(partitions.length / claims.length);
  let larger = partitions.length % claims.length;
  const left = partitions.filter((partition) => !owner.has(partition));
  // Who holds most keeps the larger shares.
  const fullestFirst = [...shares].sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1));
  const room = new Map<string, number>();
  for (const [member, held] of fullestFirst) {
    const share = least + (larger > 0 ? 1 : 0);
    if (share > least) larger -= 1;
    left.push(...held.splice(share));
    room.set(member, share - held.length);
  }
  left.sort((a, b) => a - b);
  for (const [member, free] of room) shares.get(member)?.push(...left.splice(0, free));
  for (const held of shares.values()) held.sort((a, b) => a - b);
  return shares;
}

export interface AssignerParts {
  /** kafkajs' own; handed in, since this file must not load it. */
  readonly encodings: typeof AssignerProtocol;
  readonly topic: string;
  /** All partitions that the group reads. */
  readonly partitions: readonly number[];
  /** Of this member, when it joins. */
  claim(): { readonly held: readonly number[]; readonly since: number };
}

/** An eager assigner that sticks: each member tells what it holds, and the leader divides anew around that. */
export function stickyAssigner({ encodings, topic, partitions, claim }: AssignerParts): PartitionAssigner {
  const { MemberMetadata, MemberAssignment } = encodings;
  const noData = Buffer.alloc(0);
  const version = 1;
  const claimOf = ({ memberId, memberMetadata }: GroupMember): Claim => {
    try {
      const told = JSON.parse(MemberMetadata.decode(memberMetadata)?.userData.toString('utf8') ?? '{}') as {
        held?: number[];
        since?: number;
      };
      return { member: memberId, held: told.held ?? [], since: told.since ?? 0 };
    } catch {
      return { member: memberId, held: [], since: 0 };
    }
  };
  return (): Assigner => ({
    name: 'presage-sticky',
    version,
    async assign({ members }) {
      return [...divide(partitions, members.map(claimOf))].map(([memberId, assigned]) => ({
        memberId,
        memberAssignment: MemberAssignment.encode({
          version,
          assignment: { [topic]: assigned },
          userData: noData,
        }),
      }));
    },
    protocol({ topics }) {
      return {
        name: 'presage-sticky',
        metadata: MemberMetadata.encode({
          version,
          topics,
          userData: Buffer.from(JSON.stringify(claim())),
        }),
      };
    },
  });
}
