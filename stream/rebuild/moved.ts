import type { Logger } from '../../core/index.ts';
import type { FeatureSet, SubjectState } from '../features/port.ts';
import type { Item } from '../item.ts';
import { limits } from '../state/limits.ts';
import type { Closed, EventHistory, HistoryRow } from './port.ts';

export interface MovedParts {
  readonly features: FeatureSet;
  readonly history: EventHistory;
  readonly logger: Logger;
  readonly pause: (ms: number) => Promise<void>;
  /** How long the event table is waited for. */
  readonly patienceMs: number;
}

const lookEveryMs = 20;

/**
 * A transfer carries a state as the workspace made it that was in force where it came from. Features that this one has
 * not got are made from the events of the anonymous id, so that a user has them of its whole history.
 */
export function completeMoved(parts: MovedParts): (items: readonly Item[]) => Promise<void> {
  const { features, history, logger } = parts;

  return async function complete(items) {
    const short = items.filter(({ arrival }) => {
      const layout = arrival?.transfer?.state?.layout;
      return layout !== undefined && layout !== features.layoutDescription;
    });
    if (short.length === 0) return;
    const asked = short.map(closedBy);
    if (!(await isThere(asked))) {
      logger.warn(
        { moves: asked.length },
        'What came from anonymous ids has new features only from here on: ClickHouse has not got their events yet',
      );
      return;
    }
    const events = await history.closed(asked);
    for (const [index, item] of short.entries()) {
      const { arrival } = item;
      const carried = arrival?.transfer?.state;
      if (arrival?.transfer == null || carried == null) continue;
      const full = replay(features, events[index] ?? []);
      let blob: Uint8Array;
      try {
        features.learnLayout(carried.layout);
        const state = features.decode(Buffer.from(carried.blob, 'base64'));
        // What cannot be read is the steps' to refuse.
        if (state.moved !== null) continue;
        features.fill(state, full, carried.layout);
        blob = features.encode(state);
      } catch {
        continue;
      }
      if (blob.length > limits.blobBytes) continue;
      item.arrival = {
        ...arrival,
        transfer: {
          ...arrival.transfer,
          state: { blob: Buffer.from(blob).toString('base64'), layout: features.layoutDescription },
        },
      };
    }
  };

  async function isThere(asked: readonly Closed[]): Promise<boolean> {
    for (let waited = 0; ; waited += lookEveryMs) {
      if (asked.every(({ partition, position }) => (history.end(partition) ?? 0) > position)) return true;
      if (waited >= parts.patienceMs) return false;
      await parts.pause(lookEveryMs);
    }
  }
}

function closedBy({ tenant, arrival }: Item): Closed {
  if (arrival === null) throw new Error('Only what arrived was sent.');
  const { anonymousId, partition, position } = arrival.from;
  return { tenant, anonymousId, partition, position };
}

/** Features of a subject that had these events, in log order. */
function replay(features: FeatureSet, rows: readonly HistoryRow[]): SubjectState {
  const state = features.empty();
  for (const { event, appendedAt, position } of rows) {
    const { id, type, session = null, properties } = event;
    const time = Math.min(event.time, appendedAt);
    features.update(state, { id, type, time, session, properties }, position);
  }
  return state;
}
