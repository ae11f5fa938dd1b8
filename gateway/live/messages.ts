import { subjectOfEvent } from '../../core/index.ts';
import {
  exposureProperties,
  type LiveMessage,
  type OutboxEntry,
  outcomeProperties,
  type StoredEvent,
  systemTypes,
} from '../../schemas/index.ts';
import type { LogRecord } from '../../stream/log/port.ts';
import { jsonText } from '../../stream/schemas/framing.ts';
import type { CompiledWorkspace } from '../../workspace/index.ts';

/** Which kind a log record will be, guessed from its bytes without parsing them: only the budget depends on it. */
export function kindOfRecord(value: Buffer): 'event' | 'exposure' {
  return value.includes('"type":"$') ? 'exposure' : 'event';
}

/** What a log record shows in the live view; null = nothing, or nothing readable. */
export function messageOfRecord(record: LogRecord, workspace: CompiledWorkspace): LiveMessage | null {
  let event: StoredEvent;
  try {
    event = JSON.parse(jsonText(record)) as StoredEvent;
    if (typeof event.type !== 'string' || typeof event.tenant !== 'string') return null;
  } catch {
    return null;
  }
  const subject = subjectOfEvent(event);
  if (subject === undefined) return null;
  const about = {
    at: record.appendedAt,
    tenant: event.tenant,
    subject,
    simulated: event.source === 'simulator' || event.anonymousId?.startsWith('sim-') === true,
  };
  if (event.type === systemTypes.exposure) {
    const shown = exposureProperties.safeParse(event.properties);
    if (!shown.success) return null;
    return {
      kind: 'exposure',
      ...about,
      decision: shown.data.decision,
      action: shown.data.action,
      what: 'shown',
    };
  }
  if (event.type === systemTypes.outcome) {
    const outcome = outcomeProperties.safeParse(event.properties);
    if (!outcome.success) return null;
    const { decision, action, outcome: what } = outcome.data;
    return { kind: 'outcome', ...about, decision, action, what };
  }
  if (event.type.startsWith('$')) return null;
  return {
    kind: 'event',
    ...about,
    type: event.type,
    properties: event.properties,
    declared: workspace.types.has(event.type),
  };
}

/** What an outbox entry shows; null for batch reports. */
export function messageOfEntry(entry: OutboxEntry): LiveMessage | null {
  switch (entry.kind) {
    case 'batch':
    case 'transfer':
    case 'forward':
      return null;
    case 'dead':
      return { kind: 'dead', at: entry.dead.appendedAt, code: entry.dead.code, message: entry.dead.message };
    case 'decision': {
      const { decision } = entry;
      return {
        kind: 'decision',
        at: decision.timings.decidedAt,
        tenant: decision.tenant,
        subject: decision.subject,
        id: decision.id,
        placement: decision.placement,
        action: decision.action,
        mode: decision.mode,
        simulated: decision.simulated,
        features: decision.features,
        totalMs: decision.timings.totalMs,
      };
    }
  }
}
