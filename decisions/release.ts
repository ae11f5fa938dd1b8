import type { DecisionDraft, DecisionRecord, Resolution, ReviewProperties } from '../schemas/index.ts';
import type { CompiledAction, CompiledPlacement } from '../workspace/index.ts';
import { capsOf } from './caps.ts';

/** What a person let go, on its way into the commit. */
export interface Release {
  readonly release: NonNullable<ReviewProperties['release']>;
  readonly verdict: 'approved' | 'edited';
  readonly by: string;
  /** Event time of the verdict: caps count by it. */
  readonly at: number;
  readonly action: CompiledAction;
  readonly placement: CompiledPlacement;
  /** Whose it is now: the user that an anonymous subject has become meanwhile. */
  readonly subject: string;
  /** The stop switch was on when the verdict came. */
  readonly stopped: boolean;
}

/**
 * The decision that waited, as it is executed: the same record under the same id, with its one action to be chosen if its
 * caps still have room.
 */
export function releaseDraft({
  release: { record, content, expiresAt },
  verdict,
  by,
  at,
  action,
  placement,
  subject,
  stopped,
}: Release): DecisionDraft {
  const own = action.modeFor?.(record.tenant) ?? action.mode;
  const mode = stopped ? 'stopped' : own;
  const { review } = record;
  return {
    record: {
      ...record,
      subject,
      ...(subject === record.subject ? {} : { identity: { ...record.identity, askedFor: record.subject } }),
      ...(review === undefined ? {} : { review: { ...review, released: { verdict, by, at } } }),
      mode,
    },
    choices: [
      {
        action: action.name,
        caps:
          mode === 'stopped'
            ? []
            : capsOf(action, { tenant: record.tenant, session: record.session, time: at }, placement),
        offer: { content, expiresAt },
        mode,
        purpose: record.purpose,
      },
    ],
  };
}

/** The final record of what was let go. Of the other candidates nothing is decided again. */
export function finishRelease(
  { record, choices }: Pick<DecisionDraft, 'record' | 'choices'>,
  resolution: Resolution,
): DecisionRecord {
  const waited = record.action;
  const chosen = choices[resolution.slots[0]?.chosen ?? -1];
  const full = resolution.capsSeen.find(({ used, limit }) => used >= limit);
  const verdict =
    chosen !== undefined
      ? ({ stage: 'chosen', rule: record.review?.released?.verdict ?? 'approved', saw: {} } as const)
      : ({
          stage: 'constraints',
          rule: full?.cap ?? 'no room',
          saw: full === undefined ? {} : { used: full.used, limit: full.limit },
        } as const);
  return {
    ...record,
    candidates: record.candidates.map((candidate) =>
      candidate.action === waited ? { ...candidate, verdict } : candidate,
    ),
    capsSeen: [...record.capsSeen, ...resolution.capsSeen],
    action: chosen?.action ?? null,
    mode: chosen?.mode ?? record.mode,
    offer: chosen?.offer ?? null,
  };
}
