import { z } from 'zod';
import { type DecisionRecord, type ReviewReason, reviewReasons } from './decision.ts';

/** What a person can say of a decision that waits, and what time says where nobody did. */
export const reviewVerdicts = ['approved', 'edited', 'rejected', 'expired'] as const;
export type ReviewVerdict = (typeof reviewVerdicts)[number];

/** Properties of a `$review` event: one verdict of one decision, in its subject's partition. */
export const reviewProperties = z.object({
  decision: z.string(),
  action: z.string(),
  placement: z.string(),
  verdict: z.enum(reviewVerdicts),
  reason: z.enum(reviewReasons),
  probability: z.number().gt(0).max(1),
  confidence: z.number().min(0).max(1).nullable(),
  threshold: z.number(),
  /** The credential; `deadline` where nobody said anything in time. */
  by: z.string(),
  /** The name that the person gave. */
  reviewer: z.string().optional(),
  note: z.string().optional(),
  escalated: z.boolean(),
  /** From the decision to the verdict. */
  waitedMs: z.number().int().min(0),
  /** What is executed now: the decision as it waited, with what the person made of its content. */
  release: z
    .object({
      record: z.custom<DecisionRecord>((value) => typeof value === 'object' && value !== null),
      content: z.record(z.string(), z.unknown()),
      expiresAt: z.number().int(),
    })
    .optional(),
});
export type ReviewProperties = z.infer<typeof reviewProperties>;

/** Of one decision in the queue, what a list shows. */
export interface ReviewSummary {
  readonly id: string;
  readonly tenant: string;
  readonly subject: string;
  readonly placement: string;
  readonly action: string;
  readonly reason: ReviewReason;
  readonly confidence: number | null;
  readonly threshold: number;
  readonly decidedAt: number;
  readonly escalatesAt: number;
  readonly expiresAt: number;
  readonly simulated: boolean;
}

export interface ReviewDecided {
  readonly verdict: ReviewVerdict;
  readonly by: string;
  readonly reviewer: string | null;
  readonly note: string | null;
  readonly at: number;
  /** Whether the log has it: from then on it is executed and counted. */
  readonly isPublished: boolean;
}

/** GET /v1/reviews: those that wait, the next to expire first, and the newest verdicts. */
export interface ReviewList {
  readonly waiting: readonly (ReviewSummary & { readonly isEscalated: boolean })[];
  /** Of all that wait, listed or not. */
  readonly count: number;
  readonly decided: readonly (ReviewSummary & { readonly decided: ReviewDecided })[];
}

/** GET /v1/reviews/:id */
export interface ReviewDetail {
  readonly summary: ReviewSummary;
  readonly isEscalated: boolean;
  /** null: it still waits. */
  readonly decided: ReviewDecided | null;
  /** The decision as it waits; null once the verdict is in the log. */
  readonly decision: DecisionRecord | null;
}

/** Body of POST /v1/reviews/:id */
export const reviewBody = z.strictObject({
  verdict: z.enum(['approve', 'edit', 'reject']),
  content: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('With edit: the content that is shown in place of what was drafted. At most 16 KB.'),
  reviewer: z.string().trim().min(1).max(100).optional().describe('Who says so, for the record.'),
  note: z.string().trim().min(1).max(1_000).optional().describe('Why, for whoever reads it later.'),
});
export type ReviewBody = z.infer<typeof reviewBody>;
