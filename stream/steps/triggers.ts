import { asTenantId, type Clock, decisionIdOf, isSimulated } from '../../core/index.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';
import { type Batch, ok, type StepResult } from '../batch.ts';
import { type FeatureSet, pendingTransfers, seenAs } from '../features/index.ts';
import type { Item } from '../item.ts';
import type { SharedSnapshots } from '../shared/index.ts';

/** Each trigger on the event's type whose condition holds asks for a decision, with features as of this event. */
export function askTriggers(
  workspace: CompiledWorkspace,
  features: FeatureSet,
  clock: Clock,
  shared?: SharedSnapshots,
) {
  return function ask(item: Item, batch: Batch): StepResult {
    const triggers = workspace.triggersByType.get(item.type);
    const { state } = item;
    if (triggers === undefined || state === null || item.isLate) return ok;
    const { event, record } = item;

    const begun = clock.monotonic();
    const own = features.read(state, item.time);
    const featuresMs = clock.monotonic() - begun;
    const pending = pendingTransfers(state, item.time);
    for (const trigger of triggers) {
      const reading = shared?.read(item.tenant) ?? null;
      const values = reading === null ? own : { ...own, ...reading.features };
      const scope = { features: values, event: event.properties, action: null, context: null };
      const condition = trigger.when?.evaluate(scope) ?? { kind: 'value', value: true };
      // A condition over a value that is not there yet is not met; a wrong one was refused when the workspace loaded.
      if (condition.kind !== 'value' || !condition.value) continue;
      batch.questions.push({
        id: decisionIdOf(
          asTenantId(event.tenant),
          item.subject,
          event.id,
          trigger.name,
          trigger.placement.name,
        ),
        tenant: event.tenant,
        subject: item.subject,
        session: state.session,
        placement: trigger.placement,
        startedBy: { kind: 'trigger', trigger: trigger.name, event: event.id, eventType: event.type },
        time: item.time,
        simulated: isSimulated(event),
        log: { partition: batch.partition, position: record.offset },
        features: values,
        ...(reading === null ? {} : { shared: reading }),
        ...(pending.length > 0 ? { identity: { pendingTransfers: pending } } : {}),
        seenAs: seenAs(state, item.subject),
        event: event.properties,
        context: null,
        receivedAt: record.appendedAt,
        workspace: workspace.hash,
        stopped: batch.partitionState.stopped.has(event.tenant),
        featuresMs,
      });
    }
    return ok;
  };
}
