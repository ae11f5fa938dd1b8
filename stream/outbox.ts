import { finishDecision, finishRelease } from '../decisions/index.ts';
import type { BatchReport, DeadLetter, DecisionDraft, OutboxEntry } from '../schemas/index.ts';
import type { StoredOutboxEntry } from './state/port.ts';

/** What a stored entry says. The payload was written by the worker or the request path, so its shape is trusted. */
export function readOutboxEntry(stored: StoredOutboxEntry): OutboxEntry {
  const { offset, kind } = stored;
  switch (kind) {
    case 'batch':
      return { kind, offset, batch: JSON.parse(stored.payload) as BatchReport };
    case 'dead':
      return { kind, offset, dead: JSON.parse(stored.payload) as DeadLetter };
    case 'transfer':
    case 'forward':
      return { kind, offset };
    case 'decision': {
      const draft = JSON.parse(stored.payload) as DecisionDraft;
      const resolution = stored.resolution ?? { slots: [], capsSeen: [] };
      const finished =
        draft.record.review?.released === undefined
          ? finishDecision(draft.record, draft.choices, resolution, draft.slots)
          : finishRelease(draft, resolution);
      return { kind, offset, decision: finished };
    }
  }
}
