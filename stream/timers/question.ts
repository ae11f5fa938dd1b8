import { asTenantId, type Clock, decisionIdOf } from '../../core/index.ts';
import type { Question } from '../../decisions/index.ts';
import type { FeatureVector } from '../../schemas/index.ts';
import type { CompiledTrigger } from '../../workspace/index.ts';
import type { Batch } from '../batch.ts';
import type { Item } from '../item.ts';

/** What fires, and as of when. */
export interface Firing {
  readonly trigger: CompiledTrigger;
  readonly due: number;
  /** Tells apart what is due at once: the shared property's value, or the session's name; '' for neither. */
  readonly key: string;
  readonly session: string | null;
  readonly isSimulated: boolean;
}

/**
 * The question of a timer that a record made fire: as of its due time and of the position before the record. Its id is a
 * hash of tenant, subject, trigger and due time, so whatever makes it fire, and when, it is the same decision.
 */
export function timerQuestion(
  firing: Firing,
  subject: string,
  values: FeatureVector,
  pendingTransfers: readonly string[],
  item: Item,
  batch: Batch,
  workspace: string,
  featuresMs: number,
): Question {
  const { trigger, due, key } = firing;
  const cause = `timer:${due}${key === '' ? '' : `:${key}`}`;
  return {
    id: decisionIdOf(asTenantId(item.tenant), subject, cause, trigger.name, trigger.placement.name),
    tenant: item.tenant,
    subject,
    session: firing.session,
    placement: trigger.placement,
    startedBy: { kind: 'timer', trigger: trigger.name, due },
    time: due,
    simulated: firing.isSimulated,
    log: { partition: batch.partition, position: item.record.offset - 1 },
    features: values,
    ...(pendingTransfers.length > 0 ? { identity: { pendingTransfers } } : {}),
    event: null,
    context: null,
    receivedAt: item.record.appendedAt,
    workspace,
    stopped: batch.partitionState.stopped.has(item.tenant),
    featuresMs,
  };
}

/** Features at a time, read once for all triggers that ask at it. */
export function readOnce(
  read: () => FeatureVector,
  clock: Clock,
): () => { values: FeatureVector; ms: number } {
  let known: { values: FeatureVector; ms: number } | null = null;
  return () => {
    if (known !== null) return known;
    const begun = clock.monotonic();
    const values = read();
    known = { values, ms: clock.monotonic() - begun };
    return known;
  };
}
