import type { DecisionRecord, ReviewSummary } from '../../schemas/index.ts';
import type { Claim, ReviewItem } from './port.ts';

export const start = 1_750_000_000_000;

/** A decision that waits, as the outbox has it. */
export function waitingDecision(id: string, changes: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    id,
    tenant: 'shop',
    subject: 'u:ann',
    session: 's1',
    placement: 'help',
    startedBy: { kind: 'trigger', trigger: 'complained', event: 'e1', eventType: 'complaint' },
    time: start,
    simulated: false,
    log: { partition: 0, position: 7 },
    features: { complaints: 2 },
    context: { topic: 'late' },
    candidates: [
      {
        action: 'refund',
        verdict: { stage: 'gate', rule: 'not confident: right needs 0.85', saw: { confidence: null } },
        score: { acceptProbability: 0.4, contextWeight: 1, value: 5, lever: 1, priority: 2 },
        rank: 1,
      },
    ],
    available: ['refund'],
    capsSeen: [],
    action: 'refund',
    choicePropensity: 1,
    deterministic: true,
    rung: 'rules',
    rungReason: 'no_model',
    model: null,
    policy: 'p1',
    workspace: 'w1',
    mode: 'review',
    purpose: null,
    offer: { content: { title: 'Money back' }, expiresAt: start + 60_000 },
    recorded: true,
    review: {
      reason: 'gate',
      probability: 1,
      confidence: null,
      threshold: 0.85,
      escalatesAt: start + 60_000,
      expiresAt: start + 600_000,
    },
    lookups: [],
    timings: { receivedAt: start, decidedAt: start, featuresMs: 0, scoringMs: 0, totalMs: 0 },
    ...changes,
  };
}

export function reviewItem(id: string, changes: Partial<ReviewSummary> = {}): ReviewItem {
  const record = waitingDecision(id, { tenant: changes.tenant ?? 'shop' });
  return {
    record,
    summary: {
      id,
      tenant: record.tenant,
      subject: record.subject,
      placement: record.placement,
      action: 'refund',
      reason: 'gate',
      confidence: null,
      threshold: 0.85,
      decidedAt: start,
      escalatesAt: start + 60_000,
      expiresAt: start + 600_000,
      simulated: false,
      ...changes,
    },
  };
}

export const claimBy = (
  by: string,
  at: number,
  verdict: Claim['verdict'] = 'approved',
  content: Claim['content'] = null,
): Claim => ({ verdict, by, reviewer: null, note: null, at, content });
