import type { CapTake } from '../schemas/index.ts';
import type { CompiledAction, CompiledCap, CompiledPlacement } from '../workspace/index.ts';
import type { Question } from './question.ts';

type Moment = Pick<Question, 'tenant' | 'session' | 'time'>;

/** What an action takes when it is chosen at this moment: its own caps, its group's, and those of the placement. */
export function capsOf(
  action: CompiledAction,
  moment: Moment,
  placement?: Pick<CompiledPlacement, 'caps'>,
): CapTake[] {
  const takes: CapTake[] = [];
  for (const cap of action.caps) takes.push(takeOf(cap, moment));
  for (const cap of placement?.caps ?? []) takes.push(takeOf(cap, moment));
  return takes;
}

function takeOf(
  { id, per, limit, windowMs, role, lease }: CompiledCap,
  { tenant, session, time }: Moment,
): CapTake {
  const take = {
    cap: id,
    // A subject's first moments may have no session yet: its cap then counts under the empty session.
    session: per === 'session' ? (session ?? '') : null,
    limit,
    windowMs,
    at: time,
  };
  if (lease !== undefined)
    return { ...take, lease: { bucket: lease.bucketAt(tenant, time), spans: lease.spans } };
  return role === undefined ? take : { ...take, role };
}
