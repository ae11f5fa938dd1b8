import type { DecisionRecord } from '../../../schemas/index.ts';
import type { Row } from './event.ts';
import { countOf, timeOf } from './well-formed.ts';

/** `version`: the larger one stands when a decision is written twice. Decimal, since it may exceed 2^53. */
export function rowOfDecision(decision: DecisionRecord, version: bigint): Row {
  const { startedBy, model, timings } = decision;
  const isTrigger = startedBy.kind === 'trigger';
  const chosen = decision.candidates.find((candidate) => candidate.action === decision.action);
  return {
    table: 'decision_rows',
    row: {
      id: decision.id,
      tenant: decision.tenant,
      subject: decision.subject,
      session: decision.session ?? '',
      placement: decision.placement,
      started_by: startedBy.kind,
      trigger: startedBy.kind === 'request' ? '' : startedBy.trigger,
      request: startedBy.kind === 'request' ? startedBy.request : '',
      event_id: isTrigger ? startedBy.event : '',
      event_type: isTrigger ? startedBy.eventType : '',
      time: timeOf(decision.time),
      received: timeOf(timings.receivedAt),
      decided: timeOf(timings.decidedAt),
      action: decision.action,
      choice_propensity: decision.choicePropensity,
      deterministic: decision.deterministic,
      accept_probability: chosen?.score?.acceptProbability ?? null,
      candidates: decision.candidates.length,
      available: decision.available,
      rung: decision.rung,
      rung_reason: decision.rungReason,
      mode: decision.mode,
      model: model === null ? '' : `${model.id}@${model.version}`,
      model_sha256: model?.sha256 ?? '',
      policy: decision.policy,
      workspace: decision.workspace,
      purpose: decision.purpose ?? '',
      expires: decision.offer === null ? null : timeOf(decision.offer.expiresAt),
      recorded: decision.recorded,
      simulated: decision.simulated,
      partition: decision.log.partition,
      position: countOf(decision.log.position),
      features_ms: timings.featuresMs,
      scoring_ms: timings.scoringMs,
      total_ms: timings.totalMs,
      record: JSON.stringify(decision),
      version: version.toString(),
    },
  };
}
