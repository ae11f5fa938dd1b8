import type { DecisionRecord, ReviewDetail, ReviewList, ReviewSummary } from '../../schemas/index.ts';
import { hex, makeRandom } from './random.ts';
import { decisionIds, demoSubject, detailOf } from './record.ts';
import type { Scenario } from './scenarios.ts';

/** Ids that stand for a situation each; any other is unknown. */
export const reviewIds = {
  waiting: 'd_5ac1e07b93f2464d8812f0a7',
  urgent: 'd_10b7d2c86e5f4a39a7c4e5d1',
  sampled: 'd_c77f3b1e09d84d52b6a8f3e2',
  decided: 'd_f20e6a9d4b7c4183905be7c6',
  over: 'd_8e41d7b05c3a4f96ab2d10f5',
} as const;

const minute = 60_000;

function summaryOf(scenario: Scenario, id: string, now: number): ReviewSummary {
  const isHeavy = scenario === 'heavy';
  const age = { [reviewIds.urgent]: 41, [reviewIds.over]: 61, [reviewIds.decided]: 12 }[id] ?? 3;
  const isSample = id === reviewIds.sampled;
  return {
    id,
    tenant: isHeavy ? 'north_america_wholesale_and_retail' : 'shop',
    subject: isHeavy ? `u:${hex(makeRandom(9), 64)}` : demoSubject,
    placement: isHeavy ? 'checkout_side_panel_below_the_order_summary' : 'help',
    action: isHeavy ? 'refund_of_the_whole_order_with_return_label_and_apology' : 'refund_shipping',
    reason: isSample ? 'sample' : 'gate',
    confidence: isSample ? 0.943 : id === reviewIds.urgent ? 0.71 : null,
    threshold: 0.85,
    decidedAt: now - age * minute,
    escalatesAt: now + (15 - age) * minute,
    expiresAt: now + (60 - age) * minute,
    simulated: !isHeavy,
  };
}

const decided = (now: number) =>
  ({
    verdict: 'edited',
    by: 'operator by cookie',
    reviewer: 'Ann Osei',
    note: 'Half is what we promised.',
    at: now - 4 * minute,
    isPublished: true,
  }) as const;

export function reviewsOf(scenario: Scenario, now: number): ReviewList {
  if (scenario === 'empty') return { waiting: [], count: 0, decided: [] };
  const waiting = [reviewIds.urgent, reviewIds.waiting, reviewIds.sampled].map((id) => ({
    ...summaryOf(scenario, id, now),
    isEscalated: id === reviewIds.urgent,
  }));
  return {
    waiting,
    count: scenario === 'heavy' ? 1_982 : waiting.length,
    decided: [
      { ...summaryOf(scenario, reviewIds.decided, now), decided: decided(now) },
      {
        ...summaryOf(scenario, reviewIds.over, now),
        decided: {
          verdict: 'expired',
          by: 'deadline',
          reviewer: null,
          note: null,
          at: now - minute,
          isPublished: true,
        },
      },
    ],
  };
}

export function reviewOf(scenario: Scenario, id: string, now: number): ReviewDetail | null {
  if (!Object.values(reviewIds).some((known) => known === id)) return null;
  const summary = summaryOf(scenario, id, now);
  const isDecided = id === reviewIds.decided;
  return {
    summary,
    isEscalated: id === reviewIds.urgent,
    decided: isDecided ? decided(now) : null,
    decision: isDecided ? null : recordOf(scenario, summary, now),
  };
}

function recordOf(scenario: Scenario, summary: ReviewSummary, now: number): DecisionRecord | null {
  const base = detailOf(scenario, decisionIds.accepted, now)?.decision;
  if (base === undefined) return null;
  const { action, id, tenant, subject, placement } = summary;
  return {
    ...base,
    id,
    tenant,
    subject,
    placement,
    action,
    mode: summary.reason === 'gate' ? 'review' : 'act',
    candidates: base.candidates.map((candidate) =>
      candidate.action === base.action
        ? {
            ...candidate,
            action,
            verdict: {
              stage: 'gate',
              rule: 'not confident: right needs 0.85',
              saw: { confidence: summary.confidence, threshold: 0.85 },
            },
          }
        : candidate,
    ),
    offer: {
      content: {
        title: 'We give your shipping back',
        text: 'Your parcel was four days late. EUR 6.90 are on their way to you.',
        amount: 6.9,
      },
      expiresAt: summary.expiresAt,
    },
  };
}
