/** Redis keys of one partition. They share a hash tag, so that one Function may touch them all in Redis Cluster too. */
export interface StateKeys {
  readonly head: string;
  readonly commits: string;
  readonly outbox: string;
  readonly partition: string;
  readonly readers: string;
  /** Which generation blobs and timers are of. */
  readonly generation: number;
  /** Followed by `<tenant>:<subject>`. */
  readonly statePrefix: string;
  /** Sorted set: subjects' keys (`<tenant>:<subject>`) by the time at which their earliest timer may be due. */
  timers(tenant: string): string;
  caps(tenant: string, subject: string): string;
  answer(tenant: string, idempotencyKey: string): string;
  /** What the partition holds of a limit that all of a tenant share. */
  lease(tenant: string, cap: string): string;
}

export const layoutsKey = 'presage:layouts';

/**
 * `generation` names blobs and timers (stream/state/port.ts). Head, commits and partition state are those of the
 * generation in force, or with `isShadow` the generation's own, which it has until it is activated.
 */
export function stateKeys(version: number, partition: number, generation = 0, isShadow = false): StateKeys {
  const tag = `{events.v${version}:${partition}}`;
  const mark = generation === 0 ? '' : `@${generation}`;
  const chain = isShadow ? mark : '';
  return {
    generation,
    head: `${tag}:head${chain}`,
    commits: `${tag}:commits${chain}`,
    outbox: `${tag}:outbox`,
    partition: `${tag}:partition${chain}`,
    readers: `${tag}:readers`,
    statePrefix: `${tag}:state${mark}:`,
    timers: (tenant) => `${tag}:timers${mark}:${tenant}`,
    caps: (tenant, subject) => `${tag}:cap:${tenant}:${subject}`,
    lease: (tenant, cap) => `${tag}:lease:${tenant}:${cap}`,
    answer: (tenant, idempotencyKey) => `${tag}:idem:${tenant}:${idempotencyKey}`,
  };
}
