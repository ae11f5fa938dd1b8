/** Redis keys of one partition. They share a hash tag, so that one Function may touch them all in Redis Cluster too. */
export interface StateKeys {
  readonly head: string;
  readonly commits: string;
  readonly outbox: string;
  readonly partition: string;
  readonly readers: string;
  /** Followed by `<tenant>:<subject>`. */
  readonly statePrefix: string;
  /** Sorted set: subjects' keys (`<tenant>:<subject>`) by the time at which their earliest timer may be due. */
  timers(tenant: string): string;
  caps(tenant: string, subject: string): string;
  answer(tenant: string, idempotencyKey: string): string;
}

export const layoutsKey = 'presage:layouts';

export function stateKeys(version: number, partition: number): StateKeys {
  const tag = `{events.v${version}:${partition}}`;
  return {
    head: `${tag}:head`,
    commits: `${tag}:commits`,
    outbox: `${tag}:outbox`,
    partition: `${tag}:partition`,
    readers: `${tag}:readers`,
    statePrefix: `${tag}:state:`,
    timers: (tenant) => `${tag}:timers:${tenant}`,
    caps: (tenant, subject) => `${tag}:cap:${tenant}:${subject}`,
    answer: (tenant, idempotencyKey) => `${tag}:idem:${tenant}:${idempotencyKey}`,
  };
}
